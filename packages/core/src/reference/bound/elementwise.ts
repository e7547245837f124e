import { ValueError } from '../../errors.ts';
import { elementCount } from '../../tensor.ts';
import {
  at,
  clampedError,
  expFactor,
  smallestNormal,
  sumFactor,
  type BoundContext,
  type BoundRules,
  type Errors,
} from './context.ts';

type Elementwise =
  | 'relu'
  | 'maxPool2d'
  | 'reshape'
  | 'padChannels'
  | 'sliceChannels'
  | 'fill'
  | 'broadcastScalar'
  | 'topKCorrect'
  | 'affine'
  | 'dropout'
  | 'sigmoid'
  | 'sigmoidGrad'
  | 'l2Penalty'
  | 'l2PenaltyGrad';

/** Errors go where their numbers go. */
async function movedErrors(context: BoundContext): Promise<Errors> {
  return { y: (await context.magnitudes({ x: context.error('x') }))['y'] ?? new Float64Array() };
}

/** Ops that choose or move numbers, which are exact, and ops on one element at a time. */
export const elementwiseRules: Pick<BoundRules, Elementwise> = {
  relu: (context) => ({ y: context.error('x').map((error, i) => clampedError(at(context.value('x'), i), error)) }),
  // The maximum of numbers within δ of others is within the largest of those δ.
  maxPool2d: async (context) => ({
    y: (await context.magnitudes({ x: context.error('x') }))['y'] ?? new Float64Array(),
  }),
  reshape: (context) => ({ y: context.error('x').slice() }),
  padChannels: movedErrors,
  sliceChannels: movedErrors,
  // The constant itself is rounded to f32.
  fill: (context) => ({ y: context.result('y').map((value) => Math.abs(value - Math.fround(value))) }),
  broadcastScalar: (context) => ({ y: context.result('y').map(() => at(context.error('x'), 0)) }),
  topKCorrect(context) {
    if (context.inexact('logits', 'labels'))
      throw new ValueError('topKCorrect: no bound holds when the compared logits have errors.');
    return { correct: context.result('correct').map(() => 0) };
  },

  // Both constants rounded, product, sum: 3 roundings at most on either term. Copying is exact.
  affine(context, { scale, offset }) {
    const inherited = context.error('x').map((error) => Math.abs(scale) * error);
    if (scale === 1 && offset === 0) return { y: inherited };
    return {
      y: context.scale('y').map((magnitude, i) => 3 * context.u * magnitude + at(inherited, i) + 2 * smallestNormal),
    };
  },

  // The scale rounded, and the product. What is dropped is 0.
  async dropout(context, { scale }) {
    const inherited = (await context.magnitudes({ x: context.error('x') }))['y'] ?? new Float64Array();
    if (scale === 1) return { y: inherited };
    return {
      y: context.scale('y').map((magnitude, i) => 2 * context.u * magnitude + at(inherited, i) + 2 * smallestNormal),
    };
  },

  // dy/dx = y·(1 − y), so e^−x of relative error r makes y·(1 − y)·r; one addition and one division add 2u·y.
  sigmoid(context) {
    const x = context.value('x');
    const y = context.result('y').map((value, i) => {
      const exponential = context.u * expFactor(at(x, i)) + at(context.error('x'), i);
      return value * (1 - value) * exponential + 3 * context.u * value + smallestNormal;
    });
    return { y };
  },

  // 1 − y, then two products: 3 roundings relative to the result.
  sigmoidGrad(context) {
    const [dy, y, errorDy, errorY] = [context.value('dy'), context.value('y'), context.error('dy'), context.error('y')];
    const dx = context.result('dx').map((value, i) => {
      const inherited =
        at(errorDy, i) * Math.abs(at(y, i) * (1 - at(y, i))) + Math.abs(at(dy, i) * (1 - 2 * at(y, i))) * at(errorY, i);
      return 4 * context.u * Math.abs(value) + inherited + 4 * smallestNormal * (1 + Math.abs(at(dy, i)));
    });
    return { dx };
  },

  // Σ w² as any sum, the scale's own rounding and its product within one more u.
  l2Penalty(context, { scale }) {
    const w = context.value('w');
    const terms = elementCount(context.shape('w'));
    const inherited = w.reduce((sum, value, i) => sum + 2 * Math.abs(scale * value) * at(context.error('w'), i), 0);
    const y = context
      .scale('y')
      .map((value) => (1 + sumFactor(terms)) * context.u * value + inherited + (terms + 1) * smallestNormal);
    return { y };
  },

  // 2·scale·dy·w: the constant and two products.
  l2PenaltyGrad(context, { scale }) {
    const dy = at(context.value('dy'), 0);
    const errorDy = at(context.error('dy'), 0);
    const dw = context.value('w').map((w, i) => {
      const inherited = 2 * Math.abs(scale) * (Math.abs(dy) * at(context.error('w'), i) + errorDy * Math.abs(w));
      return 4 * context.u * 2 * Math.abs(scale * dy * w) + inherited + smallestNormal * (2 + 2 * Math.abs(w));
    });
    return { dw };
  },
};
