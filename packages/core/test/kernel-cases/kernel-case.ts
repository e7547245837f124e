import type { OpAttrs, OpKind } from '../../src/index.ts';
import type { OperandData } from '../support/single-op.ts';

/** An op on tiny operands, with results computed by hand. */
export interface KernelCase<K extends OpKind> {
  readonly title: string;
  readonly attrs: OpAttrs[K];
  readonly operands: OperandData;
  readonly expected: Readonly<Record<string, readonly number[]>>;
}

export type KernelCases<K extends OpKind = OpKind> = { readonly [P in K]: readonly KernelCase<P>[] };
