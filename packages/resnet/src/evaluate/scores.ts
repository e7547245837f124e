/** What can be read off the scores of images, [count, classes]. */

/** Index of the largest score of every image; of equal ones the first. */
export function firstChoices(scores: Float32Array, classes: number): Uint8Array {
  return Uint8Array.from({ length: scores.length / classes }, (_, image) => {
    const from = image * classes;
    let best = 0;
    for (let k = 1; k < classes; k++) if ((scores[from + k] as number) > (scores[from + best] as number)) best = k;
    return best;
  });
}

/** Images whose label is among the k highest scores; of equal scores the first class is the higher, as in `topKCorrect`. */
export function topKCount(scores: Float32Array, labels: Uint8Array, classes: number, k: number): number {
  let count = 0;
  labels.forEach((label, image) => {
    const own = scores[image * classes + label] as number;
    let above = 0;
    for (let other = 0; other < classes; other++) {
      const score = scores[image * classes + other] as number;
      if (score > own || (score === own && other < label)) above++;
    }
    if (above < k) count++;
  });
  return count;
}

/** The mean of the probabilities that two sets of logits stand for. */
export function meanProbabilities(a: Float32Array, b: Float32Array, classes: number): Float32Array {
  const mean = new Float32Array(a.length);
  for (let from = 0; from < a.length; from += classes) {
    const [first, second] = [softmax(a, from, classes), softmax(b, from, classes)];
    for (let k = 0; k < classes; k++) mean[from + k] = ((first[k] as number) + (second[k] as number)) / 2;
  }
  return mean;
}

/** −log of the probability of the label of every image. */
export function crossEntropies(probabilities: Float32Array, labels: Uint8Array, classes: number): Float32Array {
  return Float32Array.from(labels, (label, image) => -Math.log(probabilities[image * classes + label] as number));
}

/** The same out of logits: log Σ exp(logit − logit of the label), which stays finite. */
export function crossEntropiesOfLogits(logits: Float32Array, labels: Uint8Array, classes: number): Float32Array {
  return Float32Array.from(labels, (label, image) => {
    const row = logits.subarray(image * classes, (image + 1) * classes);
    const largest = Math.max(...row);
    const sum = row.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    return Math.log(sum) + largest - (row[label] as number);
  });
}

/** confusion[label][prediction], in images. */
export function confusionOf(
  labels: Uint8Array,
  predictions: Uint8Array,
  classes: number,
): readonly (readonly number[])[] {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, image) => {
    const row = confusion[label];
    const prediction = predictions[image];
    if (row !== undefined && prediction !== undefined) row[prediction] = (row[prediction] ?? 0) + 1;
  });
  return confusion;
}

function softmax(logits: Float32Array, from: number, classes: number): Float64Array {
  const row = Float64Array.from(logits.subarray(from, from + classes));
  const largest = Math.max(...row);
  const powers = row.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
