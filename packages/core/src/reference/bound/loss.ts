import { at, expFactor, smallestNormal, sumFactor, tabulate, type BoundContext, type BoundRules } from './context.ts';

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

/** Softmax of one row and how far each probability may be off. */
interface Row {
  readonly probabilities: Float64Array;
  readonly errors: Float64Array;
  /** x − max x. */
  readonly shifted: Float64Array;
  readonly logSum: number;
  /** Relative error of Σ e^shifted. */
  readonly errorSum: number;
}

/**
 * z = x − max is rounded, then e^z: relative error u·(|z| + expFactor(z)) each; their sum has the weighted mean of those and
 * its own rounding; the division adds 2u. Errors of x move p_k by p_k·(δ_k + Σ_j p_j·δ_j).
 */
function softmaxRow(x: Float64Array, errorX: Float64Array, u: number): Row {
  const largest = Math.max(...x);
  const shifted = x.map((value) => value - largest);
  const exponentials = shifted.map(Math.exp);
  const total = sum(exponentials);
  const probabilities = exponentials.map((value) => value / total);
  const relative = shifted.map((z, k) => u * (Math.abs(z) + expFactor(z)) + at(errorX, k));
  const errorSum = sum(relative.map((r, k) => r * at(probabilities, k))) + sumFactor(x.length) * u;
  const errors = probabilities.map((p, k) => p * (at(relative, k) + errorSum + 2 * u) + 2 * smallestNormal);
  return { probabilities, errors, shifted, logSum: Math.log(total), errorSum };
}

/** A row of an operand [batch, classes]. */
function rowOf(context: BoundContext, values: Float64Array, n: number, shaped: string): Float64Array {
  const classes = context.shape(shaped)[1] ?? 1;
  return values.subarray(n * classes, (n + 1) * classes);
}

/** Fills an array like `shaped`, [batch, classes], row by row. */
function byRow(context: BoundContext, shaped: string, row: (n: number) => Float64Array): Float64Array {
  const [batch = 1, classes = 1] = context.shape(shaped);
  const result = new Float64Array(batch * classes);
  for (let n = 0; n < batch; n++) result.set(row(n), n * classes);
  return result;
}

/**
 * A row of the labels as smoothed, and its errors: two rounded constants, a product and a sum make 3 roundings at most of
 * either term. Without smoothing, labels are as given.
 */
function smoothedRow(context: BoundContext, n: number, labelSmoothing: number) {
  const labels = rowOf(context, context.value('labels'), n, 'logits');
  const inherited = rowOf(context, context.error('labels'), n, 'logits');
  if (labelSmoothing === 0) return { labels, errorLabels: inherited };
  const [scale, offset] = [1 - labelSmoothing, labelSmoothing / labels.length];
  const errorLabels = labels.map(
    (label, k) => 3 * context.u * (scale * Math.abs(label) + offset) + scale * at(inherited, k) + smallestNormal,
  );
  return { labels: labels.map((label) => scale * label + offset), errorLabels };
}

type Loss = 'softmax' | 'softmaxGrad' | 'softmaxCrossEntropy' | 'softmaxCrossEntropyGrad';

export const lossRules: Pick<BoundRules, Loss> = {
  softmax: (context) => ({
    y: byRow(
      context,
      'x',
      (n) =>
        softmaxRow(rowOf(context, context.value('x'), n, 'x'), rowOf(context, context.error('x'), n, 'x'), context.u)
          .errors,
    ),
  }),

  // s = Σ dy·y as any sum; dy − s and its product with y: 3 roundings.
  softmaxGrad(context) {
    const { u } = context;
    const dx = byRow(context, 'dy', (n) => {
      const [dy, y] = [rowOf(context, context.value('dy'), n, 'dy'), rowOf(context, context.value('y'), n, 'dy')];
      const [errorDy, errorY] = [
        rowOf(context, context.error('dy'), n, 'dy'),
        rowOf(context, context.error('y'), n, 'dy'),
      ];
      const mean = sum(dy.map((value, k) => value * at(y, k)));
      const magnitude = sum(dy.map((value, k) => Math.abs(value * at(y, k))));
      const inherited = sum(
        dy.map((value, k) => at(errorDy, k) * Math.abs(at(y, k)) + Math.abs(value) * at(errorY, k)),
      );
      const errorMean = sumFactor(dy.length) * u * magnitude + inherited + dy.length * smallestNormal;
      return dy.map((value, k) => {
        const rounding = 3 * u * (Math.abs(value) + Math.abs(mean)) + errorMean + at(errorDy, k);
        return (
          Math.abs(at(y, k)) * rounding +
          at(errorY, k) * Math.abs(value - mean) +
          2 * smallestNormal * (1 + Math.abs(at(y, k)))
        );
      });
    });
    return { dx };
  },

  // log of a sum of relative error r is off by r, and by its own rounding; each term log − z is a difference of two.
  softmaxCrossEntropy(context, { labelSmoothing }) {
    const { u } = context;
    const batch = context.shape('logits')[0] ?? 1;
    const losses = tabulate(batch, (n) => {
      const errorX = rowOf(context, context.error('logits'), n, 'logits');
      const row = softmaxRow(rowOf(context, context.value('logits'), n, 'logits'), errorX, u);
      const { labels, errorLabels } = smoothedRow(context, n, labelSmoothing);
      const errorLog = row.errorSum + u * (4 + 6 * Math.abs(row.logSum));
      const mean = sum(row.probabilities.map((p, k) => p * at(errorX, k)));
      return row.shifted.reduce((total, z, k) => {
        const term = row.logSum - z;
        const errorTerm = errorLog + 2 * u * (Math.abs(z) + Math.abs(row.logSum)) + at(errorX, k) + mean;
        const rounding = Math.abs(at(labels, k)) * (errorTerm + sumFactor(labels.length) * u * Math.abs(term));
        return total + rounding + at(errorLabels, k) * Math.abs(term) + smallestNormal * (1 + Math.abs(term));
      }, 0);
    });
    return { losses };
  },

  // dLoss·(p·Σ labels − label): the probability's error, the sum of labels as any sum, and 3 roundings of either term.
  softmaxCrossEntropyGrad(context, { labelSmoothing }) {
    const { u } = context;
    const dLogits = byRow(context, 'logits', (n) => {
      const row = softmaxRow(
        rowOf(context, context.value('logits'), n, 'logits'),
        rowOf(context, context.error('logits'), n, 'logits'),
        u,
      );
      const { labels, errorLabels } = smoothedRow(context, n, labelSmoothing);
      const weight = sum(labels.map(Math.abs));
      const errorWeight = sumFactor(labels.length) * u * weight + sum(errorLabels);
      const [dLoss, errorLoss] = [Math.abs(at(context.value('dLosses'), n)), at(context.error('dLosses'), n)];
      return row.probabilities.map((p, k) => {
        const magnitude = p * weight + Math.abs(at(labels, k));
        const inside = at(row.errors, k) * weight + p * errorWeight + at(errorLabels, k) + 3 * u * magnitude;
        return dLoss * inside + errorLoss * magnitude + 2 * smallestNormal * (1 + dLoss);
      });
    });
    return { dLogits };
  },
};
