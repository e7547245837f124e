import { ValueError } from '../../errors.ts';
import type { SizedWindow2d } from '../../ops/attrs.ts';
import { elementCount } from '../../tensor.ts';
import { at, smallestNormal, sumFactor, tabulate, type BoundContext, type BoundRules, type Errors } from './context.ts';

interface Sum {
  readonly result: string;
  /** Number of terms of the longest sum. */
  readonly terms: number;
  /** Operands that multiply each other: the sum is linear in each. */
  readonly factors: readonly string[];
  /** Operands added to the sum. */
  readonly addends?: readonly string[];
}

/**
 * y = Σ a·b + c with rounding: |error| ≤ (2 + √K)·u·(Σ|a·b| + |c|), and K flushed products.
 * Operands with errors add Σ δa·|b| + Σ|a|·δb + δc, which are magnitudes of the same op.
 */
async function sumBound(context: BoundContext, { result, terms, factors, addends = [] }: Sum): Promise<Float64Array> {
  const local = sumFactor(terms) * context.u;
  const bound = context.scale(result).map((scale) => local * scale + (terms + 1) * smallestNormal);
  const present = addends.filter((name) => context.has(name));
  for (const [i, factor] of factors.entries()) {
    const carried = i === 0 ? [factor, ...present] : [factor];
    if (!context.inexact(...carried)) continue;
    const replaced = Object.fromEntries([
      ...present.map((name) => [name, context.value(name).map(() => 0)] as const),
      ...carried.map((name) => [name, context.error(name)] as const),
    ]);
    const inherited = (await context.magnitudes(replaced))[result];
    inherited?.forEach((error, i2) => (bound[i2] = at(bound, i2) + error));
  }
  return bound;
}

/** One correctly rounded operation: |error| ≤ u·|y|, and the operands' own. */
async function roundedBound(
  context: BoundContext,
  result: string,
  factors: readonly string[],
  addends: readonly string[] = [],
) {
  const inherited = await sumBound({ ...context, u: 0 }, { result, terms: 1, factors, addends });
  return inherited.map((error, i) => error + context.u * (1 + context.u) * Math.abs(at(context.result(result), i)));
}

const positions = (shape: readonly number[]): number => elementCount(shape.slice(0, -1));

/** How many windows cover one element at most. */
const overlap = ({ size, strides }: SizedWindow2d): number =>
  Math.ceil(size[0] / strides[0]) * Math.ceil(size[1] / strides[1]);

const [height, width, , outChannels] = [0, 1, 2, 3] as const;

/** Elements whose mask [y > 0] may come out the other way, since y is uncertain, may hold anything up to the unmasked magnitude. */
async function unmask(context: BoundContext, bound: Float64Array, unmasked: () => Promise<Float64Array | undefined>) {
  if (!context.inexact('y')) return bound;
  const magnitude = await unmasked();
  const y = context.value('y');
  const error = context.error('y');
  return bound.map((value, i) => {
    const uncertain = at(error, i) > 0 && Math.abs(at(y, i)) <= at(error, i);
    return uncertain && magnitude !== undefined ? value + at(magnitude, i) : value;
  });
}

const ones = (values: Float64Array): Float64Array => values.map(() => 1);

type Linear =
  | 'conv2d'
  | 'conv2dBackpropInput'
  | 'conv2dBackpropFilter'
  | 'matMul'
  | 'biasAdd'
  | 'biasAddGrad'
  | 'add'
  | 'multiply'
  | 'assignAdd'
  | 'reluGrad'
  | 'averagePool2d'
  | 'averagePool2dGrad'
  | 'maxPool2dGrad'
  | 'reduceSum';

/** Ops that are sums of products. */
export const linearRules: Pick<BoundRules, Linear> = {
  // relu never makes two numbers more different, so the bound of the sum holds after it.
  async conv2d(context, { bias, residual }) {
    const filter = context.shape('filter');
    const terms = elementCount(filter.slice(0, outChannels)) + Number(bias) + Number(residual);
    return {
      y: await sumBound(context, { result: 'y', terms, factors: ['x', 'filter'], addends: ['bias', 'residual'] }),
    };
  },
  async conv2dBackpropInput(context, { residual, activationGrad }): Promise<Errors> {
    const filter = context.shape('filter');
    const terms = (filter[height] ?? 1) * (filter[width] ?? 1) * (filter[outChannels] ?? 1) + Number(residual);
    const bound = await sumBound(context, { result: 'dx', terms, factors: ['dy', 'filter'], addends: ['residual'] });
    if (activationGrad === 'none') return { dx: bound };
    const unmasked = async () => (await context.magnitudes({ y: ones(context.value('y')) }))['dx'];
    return { dx: await unmask(context, bound, unmasked) };
  },
  async conv2dBackpropFilter(context) {
    return {
      dFilter: await sumBound(context, {
        result: 'dFilter',
        terms: positions(context.shape('dy')),
        factors: ['x', 'dy'],
      }),
    };
  },
  async matMul(context, { transposeA }) {
    const terms = context.shape('a')[transposeA ? 0 : 1] ?? 1;
    return { y: await sumBound(context, { result: 'y', terms, factors: ['a', 'b'] }) };
  },
  biasAdd: async (context) => ({ y: await roundedBound(context, 'y', ['x'], ['bias']) }),
  biasAddGrad: async (context) => ({
    dBias: await sumBound(context, { result: 'dBias', terms: positions(context.shape('dy')), factors: ['dy'] }),
  }),
  add: async (context) => ({ y: await roundedBound(context, 'y', ['a'], ['b']) }),
  multiply: async (context) => ({ y: await roundedBound(context, 'y', ['a', 'b']) }),
  assignAdd: async (context) => ({ accumulator: await roundedBound(context, 'accumulator', ['accumulator'], ['x']) }),
  async reluGrad(context) {
    const y = context.value('y');
    const inherited = context.error('dy').map((error, i) => (at(y, i) > 0 ? error : 0));
    const dx = await unmask(context, inherited, async () =>
      tabulate(y.length, (i) => Math.abs(at(context.value('dy'), i)) + at(context.error('dy'), i)),
    );
    return { dx };
  },
  // The division by the number of elements is one rounding, within the 2 of (2 + √K).
  averagePool2d: async (context, { window: { size } }) => ({
    y: await sumBound(context, { result: 'y', terms: size[0] * size[1], factors: ['x'] }),
  }),
  averagePool2dGrad: async (context, { window }) => ({
    dx: await sumBound(context, { result: 'dx', terms: overlap(window), factors: ['dy'] }),
  }),
  // Windows that do not overlap only move numbers.
  async maxPool2dGrad(context, { window }) {
    if (context.inexact('x', 'y'))
      throw new ValueError('maxPool2dGrad: no bound holds when the compared x and y have errors.');
    const terms = overlap(window);
    const exact = terms === 1 ? { ...context, u: 0 } : context;
    return { dx: await sumBound(exact, { result: 'dx', terms, factors: ['dy'] }) };
  },
  reduceSum: async (context) => ({
    y: await sumBound(context, { result: 'y', terms: elementCount(context.shape('x')), factors: ['x'] }),
  }),
};
