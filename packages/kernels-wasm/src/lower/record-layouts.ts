import { operandNames } from '../generated/records-common.ts';
import { kernelSets, setShift, type KernelOperands } from '../generated/records.ts';

export interface RecordLayout {
  readonly opcode: number;
  readonly words: readonly (readonly [name: string, type: 'i32' | 'f32'])[];
}

const layouts = new Map<string, RecordLayout>();
addLayouts('common', operandNames);

/** Makes it known how the records of a set's kernels are laid out. */
export function addLayouts(set: (typeof kernelSets)[number], operands: Readonly<Record<string, string>>): void {
  const first = kernelSets.indexOf(set) << setShift;
  Object.entries(operands).forEach(([kernel, names], index) =>
    layouts.set(kernel, { opcode: first | index, words: names.split(' ').map(wordOf) }),
  );
}

function wordOf(text: string): RecordLayout['words'][number] {
  const [name = '', type] = text.split(':');
  return [name, type === 'f32' ? 'f32' : 'i32'];
}

/** How the record of a kernel is laid out, whose set is known. */
export function layoutOf(kernel: keyof KernelOperands): RecordLayout {
  return layouts.get(kernel) as RecordLayout;
}
