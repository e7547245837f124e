import type { OpAttrs } from '../../ops/attrs.ts';
import { at, smallestNormal, tabulate, type BoundContext, type BoundRules, type Errors } from './context.ts';

interface AdamErrors {
  readonly parameter: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
  readonly [result: string]: Float64Array;
}

function adam(context: BoundContext, { beta1, beta2, epsilon }: OpAttrs['adam']): AdamErrors {
  const { u } = context;
  const values = (name: string) => [context.value(name), context.error(name)] as const;
  const [[parameter, errorParameter], [m0, errorM0], [v0, errorV0], [gradient, errorGradient]] = [
    values('parameter'),
    values('m'),
    values('v'),
    values('gradient'),
  ];
  const step = Math.abs(at(context.value('stepSize'), 0));
  const errorStep = at(context.error('stepSize'), 0);
  // Two constants, two products and a sum, or g − m first and one product: 4 roundings at most on either term.
  const m = tabulate(m0.length, (i) => {
    const [g, dg] = [Math.abs(at(gradient, i)), at(errorGradient, i)];
    return (
      4 * u * (Math.abs(at(m0, i)) + (1 - beta1) * g) + beta1 * at(errorM0, i) + (1 - beta1) * dg + 4 * smallestNormal
    );
  });
  // The same with g², one product more.
  const v = tabulate(v0.length, (i) => {
    const [g, dg] = [Math.abs(at(gradient, i)), at(errorGradient, i)];
    const inherited = beta2 * at(errorV0, i) + (1 - beta2) * (2 * g * dg + dg * dg);
    return 5 * u * (Math.abs(at(v0, i)) + (1 - beta2) * g * g) + inherited + 4 * smallestNormal;
  });
  const [mNew, vNew, result] = [context.result('m'), context.result('v'), context.result('parameter')];
  // q = m/(√v + ε): δm over the divisor, and what the divisor's own error does; then the product and the subtraction.
  const updated = tabulate(parameter.length, (i) => {
    const root = Math.sqrt(at(vNew, i));
    const errorRoot = Math.max(
      Math.sqrt(at(vNew, i) + at(v, i)) - root,
      root - Math.sqrt(Math.max(at(vNew, i) - at(v, i), 0)),
    );
    const divisor = root + epsilon;
    const quotient = Math.abs(at(mNew, i)) / divisor;
    const smallest = Math.max(divisor - errorRoot, epsilon);
    const errorQuotient = (at(m, i) + quotient * (errorRoot + 3 * u * divisor)) / smallest + 2 * u * quotient;
    const update = step * errorQuotient + errorStep * quotient + 2 * u * step * quotient;
    return update + u * Math.abs(at(result, i)) + at(errorParameter, i) + 2 * smallestNormal;
  });
  return { parameter: updated, m, v };
}

const stepRules: Pick<BoundRules, 'adam' | 'adamW' | 'sgdMomentum'> = {
  adam,

  // As of Adam, and the decay: a product and a difference, or 1 − decay and a product: 2 roundings of either term.
  adamW(context, attrs) {
    const { parameter, m, v } = adam(context, attrs);
    const [decay, errorDecay] = [Math.abs(at(context.value('decay'), 0)), at(context.error('decay'), 0)];
    const decayed = parameter.map((error, i) => {
      const [value, inherited] = [Math.abs(at(context.value('parameter'), i)), at(context.error('parameter'), i)];
      const rounding = 2 * context.u * (1 + decay) * value + 2 * smallestNormal;
      return error + rounding + decay * inherited + errorDecay * (value + inherited);
    });
    return { parameter: decayed, m, v };
  },

  // The momentum rounded, two products and a difference: 3 roundings at most on either term, here and once more for Nesterov.
  sgdMomentum(context, { momentum, nesterov }) {
    const { u } = context;
    const [rate, errorRate] = [Math.abs(at(context.value('learningRate'), 0)), at(context.error('learningRate'), 0)];
    const [gradient, errorGradient] = [context.value('gradient'), context.error('gradient')];
    const step = gradient.map((g) => rate * Math.abs(g));
    const errorStep = gradient.map(
      (g, i) => (rate + errorRate) * at(errorGradient, i) + errorRate * Math.abs(g) + smallestNormal,
    );
    const difference = (moment: Float64Array, errorMoment: Float64Array): Float64Array =>
      moment.map((value, i) => {
        const magnitude = momentum * Math.abs(value) + at(step, i);
        return 3 * u * magnitude + momentum * at(errorMoment, i) + at(errorStep, i) + 2 * smallestNormal;
      });
    const m = difference(context.value('m'), context.error('m'));
    const move = nesterov ? difference(context.result('m'), m) : m;
    // Nesterov's move may be added term by term: a compiler may reorder sums.
    const sums = nesterov ? 2 : 1;
    const magnitude = context.scale('parameter');
    const parameter = move.map(
      (error, i) => error + at(context.error('parameter'), i) + sums * u * at(magnitude, i) + 2 * smallestNormal,
    );
    return { parameter, m };
  },
};

type Rule<Attrs> = (context: BoundContext, attrs: Attrs) => Errors | Promise<Errors>;

/** As of a step that is taken, and no error at all where none is. A norm with an error is as finite as the exact one. */
const guarded =
  <Attrs>(step: Rule<Attrs>, updated: readonly string[]): Rule<Attrs> =>
  (context, attrs) =>
    !context.has('norm') || Number.isFinite(at(context.value('norm'), 0))
      ? step(context, attrs)
      : Object.fromEntries(updated.map((name) => [name, context.error(name)]));

/** Optimizers: one element at a time. */
export const optimizerRules: typeof stepRules = {
  adam: guarded(stepRules.adam, ['parameter', 'm', 'v']),
  adamW: guarded(stepRules.adamW, ['parameter', 'm', 'v']),
  sgdMomentum: guarded(stepRules.sgdMomentum, ['parameter', 'm']),
};
