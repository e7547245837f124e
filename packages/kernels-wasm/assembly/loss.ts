import { Softmax, SoftmaxCrossEntropy, SoftmaxCrossEntropyGrad, SoftmaxGrad, TopKCorrect } from './generated/records';
import { flush } from './simd';

/** Losses and metrics over a few classes, in f64: their share of a step is nil. Task: one example. */

@inline function at(row: usize, k: i32): f64 {
  return <f64>load<f32>(row + (<usize>k << 2));
}

@inline function rowOf(base: usize, n: i32, classes: i32): usize {
  return base + (<usize>(n * classes) << 2);
}

function maximum(row: usize, classes: i32): f64 {
  let best = at(row, 0);
  for (let k = 1; k < classes; k++) best = max(best, at(row, k));
  return best;
}

function sumOfExp(row: usize, classes: i32, largest: f64): f64 {
  let sum: f64 = 0;
  for (let k = 0; k < classes; k++) sum += Math.exp(at(row, k) - largest);
  return sum;
}

export function softmax(p: Softmax, n: i32): void {
  const x = rowOf(p.x, n, p.classes), y = rowOf(p.y, n, p.classes);
  const largest = maximum(x, p.classes);
  const sum = sumOfExp(x, p.classes, largest);
  for (let k = 0; k < p.classes; k++) store<f32>(y + (<usize>k << 2), flush(<f32>(Math.exp(at(x, k) - largest) / sum)));
}

export function softmaxGrad(p: SoftmaxGrad, n: i32): void {
  const dy = rowOf(p.dy, n, p.classes), y = rowOf(p.y, n, p.classes), dx = rowOf(p.dx, n, p.classes);
  let dot: f64 = 0;
  for (let k = 0; k < p.classes; k++) dot += at(dy, k) * at(y, k);
  for (let k = 0; k < p.classes; k++) store<f32>(dx + (<usize>k << 2), flush(<f32>(at(y, k) * (at(dy, k) - dot))));
}

/** A label as smoothed: the constants are 1 − labelSmoothing and labelSmoothing/classes. */
@inline function smoothed(row: usize, k: i32, scale: f32, offset: f32): f64 {
  return <f64>scale * at(row, k) + <f64>offset;
}

export function softmaxCrossEntropy(p: SoftmaxCrossEntropy, n: i32): void {
  const logits = rowOf(p.logits, n, p.classes), labels = rowOf(p.labels, n, p.classes);
  const largest = maximum(logits, p.classes);
  const logSum = Math.log(sumOfExp(logits, p.classes, largest));
  let loss: f64 = 0;
  for (let k = 0; k < p.classes; k++) {
    loss += smoothed(labels, k, p.labelScale, p.labelOffset) * (logSum - (at(logits, k) - largest));
  }
  store<f32>(p.losses + (<usize>n << 2), flush(<f32>loss));
}

export function softmaxCrossEntropyGrad(p: SoftmaxCrossEntropyGrad, n: i32): void {
  const logits = rowOf(p.logits, n, p.classes), labels = rowOf(p.labels, n, p.classes);
  const dLogits = rowOf(p.dLogits, n, p.classes);
  const largest = maximum(logits, p.classes);
  const sum = sumOfExp(logits, p.classes, largest);
  const dLoss = at(p.dLosses, n);
  let weight: f64 = 0;
  for (let k = 0; k < p.classes; k++) weight += smoothed(labels, k, p.labelScale, p.labelOffset);
  for (let k = 0; k < p.classes; k++) {
    const probability = Math.exp(at(logits, k) - largest) / sum;
    const label = smoothed(labels, k, p.labelScale, p.labelOffset);
    store<f32>(dLogits + (<usize>k << 2), flush(<f32>(dLoss * (probability * weight - label))));
  }
}

export function topKCorrect(p: TopKCorrect, n: i32): void {
  const logits = rowOf(p.logits, n, p.classes), labels = rowOf(p.labels, n, p.classes);
  let truth = 0;
  for (let k = 1; k < p.classes; k++) if (at(labels, k) > at(labels, truth)) truth = k;
  const score = at(logits, truth);
  let ahead = 0, comparable = true;
  for (let k = 0; k < p.classes; k++) {
    const other = at(logits, k);
    if (other != other) comparable = false;
    if (other > score || (other == score && k < truth)) ahead++;
  }
  store<f32>(p.correct + (<usize>n << 2), comparable && ahead < p.k ? 1 : 0);
}
