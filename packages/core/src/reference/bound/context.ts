import type { OpAttrs, OpKind } from '../../ops/attrs.ts';

/** Unit roundoff of f32. */
export const unitRoundoff = 2 ** -24;

/** The smallest normal f32. A backend may flush anything smaller to zero, before and after every operation. */
export const smallestNormal = 2 ** -126;

/** Float64Array per result of the op, by its name in the op's definition. */
export type Errors = Readonly<Record<string, Float64Array>>;

/** What a rule knows of one op in a graph: the oracle's numbers, and how far a backend's operands may be from them. */
export interface BoundContext {
  /** Unit roundoff, multiplied by what the backend's kernel claims for itself. */
  readonly u: number;
  shape(name: string): readonly number[];
  /** Whether an operand that is present by attribute is present. */
  has(name: string): boolean;
  /** The oracle's elements of an operand. */
  value(name: string): Float64Array;
  /** The bound of the operand's own error, by element; all zeros for an operand given exactly. */
  error(name: string): Float64Array;
  /** The oracle's elements of a result. */
  result(name: string): Float64Array;
  /** Σ|terms| of a result: the scale of its rounding error. */
  scale(name: string): Float64Array;
  /** Whether any operand of these has an error. */
  inexact(...names: readonly string[]): boolean;
  /** The results' Σ|terms| with some operands replaced; the others keep the oracle's elements. */
  magnitudes(replaced: Readonly<Record<string, Float64Array>>): Promise<Errors>;
}

/**
 * Bounds the error of each result of an op, for a backend that computes in f32: rounding inside the op, to first order in
 * u, and what the operands' own errors become.
 */
type BoundRule<K extends OpKind> = (context: BoundContext, attrs: OpAttrs[K]) => Errors | Promise<Errors>;

export type BoundRules = { readonly [K in OpKind]: BoundRule<K> };

/** A new array of `f(i)`. */
export function tabulate(length: number, f: (at: number) => number): Float64Array {
  const result = new Float64Array(length);
  for (let at = 0; at < length; at++) result[at] = f(at);
  return result;
}

export const at = (values: Float64Array, i: number): number => values[i] as number;

/** Relative rounding error of a sum of K terms in units of u·Σ|terms|: random signs make it √K, not K (Higham 2002, §3.1). */
export const sumFactor = (terms: number): number => 2 + Math.sqrt(terms);

/** Relative error that e^x may have, beside that of x: WGSL allows (3 + 2|x|) units in the last place, each 2u. */
export const expFactor = (x: number): number => 6 + 4 * Math.abs(x);

/** The error of max(x, 0), x being within `error` of a number. */
export const clampedError = (x: number, error: number): number => (x + error <= 0 ? 0 : error);
