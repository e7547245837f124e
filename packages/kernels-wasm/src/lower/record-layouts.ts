import { operandNames, type KernelOperands } from '../generated/records.ts';

export interface RecordLayout {
  readonly opcode: number;
  readonly words: readonly (readonly [name: string, type: 'i32' | 'f32'])[];
}

const layouts = new Map(
  Object.values(operandNames).flatMap((kernels, set) =>
    Object.entries(kernels).map(([kernel, names], index): [string, RecordLayout] => [
      kernel,
      { opcode: (set << 8) | index, words: names.split(' ').map(wordOf) },
    ]),
  ),
);

function wordOf(text: string): RecordLayout['words'][number] {
  const [name = '', type] = text.split(':');
  return [name, type === 'f32' ? 'f32' : 'i32'];
}

/** How a kernel's record is laid out. */
export function layoutOf(kernel: keyof KernelOperands): RecordLayout {
  return layouts.get(kernel) as RecordLayout;
}
