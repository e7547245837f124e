import type { Evaluation } from './evaluate-model.ts';

/** A wrong answer. */
export interface Mistake {
  /** Of the image in its data set. */
  readonly index: number;
  readonly label: number;
  readonly prediction: number;
  /** Cross-entropy. */
  readonly loss: number;
}

/**
 * The wrong answers of the highest loss, the worst first.
 * @param labels  of the images that were evaluated
 */
export function worstMistakes(
  { predictions, losses }: Pick<Evaluation, 'predictions' | 'losses'>,
  labels: Uint8Array,
  count: number,
): readonly Mistake[] {
  return Array.from(predictions, (prediction, index) => ({
    index,
    label: labels[index] ?? 0,
    prediction,
    loss: losses[index] ?? 0,
  }))
    .filter(({ label, prediction }) => label !== prediction)
    .toSorted((a, b) => b.loss - a.loss)
    .slice(0, count);
}
