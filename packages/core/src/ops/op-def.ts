import type { GraphBuilder } from '../builder.ts';
import type { Op, ValueId } from '../graph.ts';
import type { TensorSpec } from '../tensor.ts';
import type { OpAttrs, OpKind } from './attrs.ts';

/** Work of one execution: arithmetic operations and bytes that must cross memory at least once. */
export interface OpCost {
  readonly flops: number;
  readonly bytes: number;
}

/**
 * An output that shares the storage of an input.
 *
 * - `view`: the output is the input under another shape (reshape).
 * - `update`: the op replaces the input, a named tensor, by the output (optimizer, moving statistics).
 */
export interface Alias {
  readonly output: number;
  readonly input: number;
  readonly kind: 'view' | 'update';
}

/** What is true of an op on every backend; one file per family, the rule for the gradient beside the op. */
export interface OpDef<K extends OpKind> {
  readonly kind: K;
  /** Names of the operands in order, for errors and printing; optional ones are present by attribute. */
  operands(attrs: OpAttrs[K]): readonly string[];
  /** Names of the results in order. */
  readonly results: readonly string[];
  /** Specs of the outputs. @throws {ShapeError} when the inputs do not fit; the builder puts kind and label in front. */
  infer(inputs: readonly TensorSpec[], attrs: OpAttrs[K]): readonly TensorSpec[];
  /**
   * Gradient of the loss with respect to each input, given that of each output (null: the loss does not depend on it).
   * `null` stands for an input without a gradient. `wanted[i]` is false where nobody asks for input i.
   */
  vjp(
    build: GraphBuilder,
    op: Op<K>,
    outputGrads: readonly (ValueId | null)[],
    wanted: readonly boolean[],
  ): readonly (ValueId | null)[];
  cost(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], attrs: OpAttrs[K]): OpCost;
  /** Output that may overwrite an input which dies here, element by element. */
  readonly inPlace?: { readonly output: number; readonly input: number };
  readonly aliases?: readonly Alias[];
}

export type OpDefs = { readonly [K in OpKind]: OpDef<K> };
