import { formatShape } from '../tensor.ts';

/** Elements of one result: a backend's, the oracle's, and how far apart they may be. */
export interface Comparison {
  readonly actual: ArrayLike<number>;
  readonly expected: Float64Array;
  readonly bound: Float64Array;
}

export interface Verdict {
  /** The largest error in units of its bound. */
  readonly ratio: number;
  /** The same among errors that no flushed subnormal explains: how tight the bound is. */
  readonly tightness: number;
  /** The element of that error. */
  readonly worst: number;
  /** How many elements are outside of their bound; a NaN always is, unless NaN is expected. */
  readonly outside: number;
}

/** Errors up to here may come from subnormals flushed to zero, and then often are the whole of their bound. */
const flushed = 2 ** -100;

/** Compares element by element. */
export function compare({ actual, expected, bound }: Comparison): Verdict {
  let [ratio, tightness, worst, outside] = [0, 0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    const own = ratioOf(actual[i] as number, expected[i] as number, bound[i] as number);
    if (own > 1) outside++;
    if (own > ratio) [ratio, worst] = [own, i];
    if (own > tightness && Math.abs((actual[i] as number) - (expected[i] as number)) > flushed) tightness = own;
  }
  return { ratio, tightness, worst, outside };
}

function ratioOf(actual: number, expected: number, bound: number): number {
  if (Object.is(actual, expected) || actual === expected) return 0;
  const ratio = Math.abs(actual - expected) / bound;
  return Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio;
}

/** One line on the element that is farthest outside. */
export function explain(
  name: string,
  shape: readonly number[],
  comparison: Comparison,
  { ratio, worst, outside }: Verdict,
): string {
  const { actual, expected, bound } = comparison;
  const [own, wanted, allowed] = [actual[worst] as number, expected[worst] as number, bound[worst] as number];
  return (
    `'${name}' ${formatShape(shape)} at ${formatShape(indexOf(worst, shape))} (element ${worst}) is ${own}, the oracle says ${wanted}: ` +
    `error ${Math.abs(own - wanted).toPrecision(3)}, bound ${allowed.toPrecision(3)}, ${ratio.toPrecision(3)} times; ` +
    `${outside} of ${expected.length} elements are outside.`
  );
}

/** The index along each axis of an element. */
export function indexOf(element: number, shape: readonly number[]): readonly number[] {
  const index: number[] = [];
  for (const size of shape.toReversed()) {
    index.unshift(element % size);
    element = Math.floor(element / size);
  }
  return index;
}
