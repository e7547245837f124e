import type { OpAttrs, OpKind, TensorSpec } from '@skiplane/core';
import type { KernelOperands } from '../generated/records.ts';
import { layoutOf } from './record-layouts.ts';

/** How convolutions are computed: `direct` is the strict choice, `winograd` where it applies, `auto` the cheaper one. */
export type ConvAlgorithm = 'auto' | 'direct' | 'winograd';

export interface LowerOptions {
  readonly conv: ConvAlgorithm;
  /** How many share an op's tasks: of a part in chunks of images, one. */
  readonly threads: number;
}

/** What a lowering knows of its op: attributes, specs, choices; never addresses. */
export interface OpView<K extends OpKind> {
  readonly attrs: OpAttrs[K];
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly options: LowerOptions;
}

/** Byte offsets of an op's operands, once memory is planned. */
export interface Addresses {
  input(index: number): number;
  output(index: number): number;
  readonly workspace: number;
  /** What {@link Packing} made; 0 without one. */
  readonly packed: number;
}

/** One kernel call: `tasks` pieces of work. */
export interface KernelRecord {
  readonly opcode: number;
  readonly tasks: number;
  readonly words: readonly (readonly [type: 'i32' | 'f32', value: number])[];
  /** Images that the tasks go through in order, as many in each, or as many tasks for each; 0 where they do not. */
  readonly images: number;
  /** Tasks in a row that one thread must do in order; 1 of independent ones. */
  readonly sequence: number;
}

/**
 * An operand in another layout, such as a filter in panels: made in each run, or, of an operand that no run changes, only once
 * after each time that it was written.
 */
interface Packing {
  readonly input: number;
  readonly bytes: number;
  /** @param source  byte offset of the operand; `packed` that of the other layout */
  records(source: number, packed: number): readonly KernelRecord[];
}

/** An op as kernels: what memory they need, and their records once addresses are known. */
export interface Lowering {
  /** Kernels as specifications, without the binary's name. */
  readonly kernels: readonly string[];
  /** Shared by all threads while the op runs. */
  readonly workspaceBytes: number;
  /** One for each thread. */
  readonly scratchBytes: number;
  readonly packing?: Packing;
  records(at: Addresses): readonly KernelRecord[];
}

export type Lower<K extends OpKind> = (op: OpView<K>) => Lowering;

export function record<K extends keyof KernelOperands>(
  kernel: K,
  tasks: number,
  operands: KernelOperands[K],
  { images = 0, sequence = 1 }: Partial<Pick<KernelRecord, 'images' | 'sequence'>> = {},
): KernelRecord {
  const { opcode, words } = layoutOf(kernel);
  const values = operands as unknown as Readonly<Record<string, number>>;
  return {
    opcode,
    tasks,
    words: words.map(([name, type]) => [type, values[name] as number] as const),
    images,
    sequence,
  };
}

/** {@link KernelRecord.images} of tasks of `perTask` elements each, in a batch with `perImage` elements an image. */
export function wholeImages(batch: number, perImage: number, perTask: number): number {
  if (perImage % perTask === 0) return batch;
  return perTask % perImage === 0 && batch % (perTask / perImage) === 0 ? batch : 0;
}

/** {@link KernelRecord.images} of `tasks` equal shares of a batch. */
export const equalShares = (batch: number, tasks: number): number =>
  batch % tasks === 0 || tasks % batch === 0 ? batch : 0;

/** A lowering to one kernel without extra memory. */
export function single(kernel: string, records: (at: Addresses) => readonly KernelRecord[]): Lowering {
  return { kernels: [kernel], workspaceBytes: 0, scratchBytes: 0, records };
}

/** The spec at `index`, which the builder has checked to be there. */
export function spec(specs: readonly TensorSpec[], index: number): TensorSpec {
  const found = specs[index];
  if (found === undefined) throw new RangeError(`operand ${index} is missing`);
  return found;
}

export function sizes4(of: TensorSpec): [batch: number, height: number, width: number, channels: number] {
  const [batch = 0, height = 0, width = 0, channels = 0] = of.shape;
  return [batch, height, width, channels];
}

/** The tensor as rows of its last axis. */
export function rowsAndChannels(of: TensorSpec): { rows: number; channels: number } {
  const channels = of.shape.at(-1) ?? 1;
  return { rows: of.shape.slice(0, -1).reduce((a, b) => a * b, 1), channels };
}

export const ceilDiv = (a: number, b: number): number => Math.ceil(a / b);

export const align = (bytes: number): number => ceilDiv(bytes, 64) * 64;

/** Elements of one task of an elementwise kernel, as in assembly/elementwise.ts. */
export const elementsPerTask = 16384;
