import { ValueError } from '../../errors.ts';
import { at, smallestNormal, type BoundRules } from './context.ts';

export const lossScaleRules: Pick<BoundRules, 'unscaleGradient' | 'updateLossScale'> = {
  // WGSL allows a quotient 2.5 units in the last place, each 2u.
  unscaleGradient(context) {
    const scale = at(context.value('lossScale'), 0);
    const errorScale = at(context.error('lossScale'), 0);
    const unscaled = context.result('unscaled').map((value, i) => {
      const inherited = (at(context.error('gradient'), i) + Math.abs(value) * errorScale) / Math.abs(scale);
      return 6 * context.u * Math.abs(value) + inherited + 4 * smallestNormal;
    });
    return { unscaled };
  },

  // Doubling and halving are exact.
  updateLossScale(context) {
    if (context.inexact('goodSteps'))
      throw new ValueError('updateLossScale: no bound holds when goodSteps has an error.');
    return { lossScale: context.error('lossScale').map((error) => 2 * error), goodSteps: new Float64Array(1) };
  },
};
