import { Adam, AdamW, SgdMomentum } from './generated/records';
import { finite, flush4 } from './simd';

/**
 * Optimizers in place. Where a norm is given and not finite, nothing is written. Moments decay towards zero and would end as subnormals: they are flushed.
 * Task: 16384 elements. Traffic: gradient once, parameter and moments twice.
 */
const taskElements: i32 = 16384;

@inline function firstByte(task: i32): usize {
  return <usize>(task * taskElements) << 2;
}

@inline function lastByte(task: i32, count: i32): usize {
  return <usize>min((task + 1) * taskElements, count) << 2;
}

/** moment ← beta·moment + rest·term, rest being 1 − beta as rounded from the exact difference. */
@inline function moment(at: usize, beta: v128, term: v128, rest: v128): v128 {
  const next = flush4(f32x4.add(f32x4.mul(v128.load(at), beta), f32x4.mul(term, rest)));
  v128.store(at, next);
  return next;
}

/** stepSize·m/(√v + epsilon) */
@inline function adamStep(m: v128, v: v128, stepSize: v128, epsilon: v128): v128 {
  return f32x4.div(f32x4.mul(m, stepSize), f32x4.add(f32x4.sqrt(v), epsilon));
}

/** Epsilon-hat form. */
export function adam(p: Adam, task: i32): void {
  if (p.norm != 0 && !finite(p.norm)) return;
  const end = lastByte(task, p.count);
  const beta1 = f32x4.splat(p.beta1), beta2 = f32x4.splat(p.beta2);
  const rest1 = f32x4.splat(p.oneMinusBeta1), rest2 = f32x4.splat(p.oneMinusBeta2);
  const epsilon = f32x4.splat(p.epsilon), stepSize = f32x4.splat(load<f32>(p.stepSize));
  for (let at = firstByte(task); at < end; at += 16) {
    const gradient = v128.load(p.gradient + at);
    const m = moment(p.m + at, beta1, gradient, rest1);
    const v = moment(p.v + at, beta2, f32x4.mul(gradient, gradient), rest2);
    v128.store(p.parameter + at, f32x4.sub(v128.load(p.parameter + at), adamStep(m, v, stepSize, epsilon)));
  }
}

/** Adam on parameter − decay·parameter. */
export function adamW(p: AdamW, task: i32): void {
  if (p.norm != 0 && !finite(p.norm)) return;
  const end = lastByte(task, p.count);
  const beta1 = f32x4.splat(p.beta1), beta2 = f32x4.splat(p.beta2);
  const rest1 = f32x4.splat(p.oneMinusBeta1), rest2 = f32x4.splat(p.oneMinusBeta2);
  const epsilon = f32x4.splat(p.epsilon), stepSize = f32x4.splat(load<f32>(p.stepSize));
  const decay = f32x4.splat(load<f32>(p.decay));
  for (let at = firstByte(task); at < end; at += 16) {
    const gradient = v128.load(p.gradient + at);
    const m = moment(p.m + at, beta1, gradient, rest1);
    const v = moment(p.v + at, beta2, f32x4.mul(gradient, gradient), rest2);
    const parameter = v128.load(p.parameter + at);
    const decayed = f32x4.sub(parameter, f32x4.mul(parameter, decay));
    v128.store(p.parameter + at, flush4(f32x4.sub(decayed, adamStep(m, v, stepSize, epsilon))));
  }
}

export function sgdMomentum(p: SgdMomentum, task: i32): void {
  if (p.norm != 0 && !finite(p.norm)) return;
  const end = lastByte(task, p.count);
  const momentum = f32x4.splat(p.momentum), learningRate = f32x4.splat(load<f32>(p.learningRate));
  for (let at = firstByte(task); at < end; at += 16) {
    const step = f32x4.mul(v128.load(p.gradient + at), learningRate);
    const m = flush4(f32x4.sub(f32x4.mul(v128.load(p.m + at), momentum), step));
    v128.store(p.m + at, m);
    const move = p.nesterov != 0 ? f32x4.sub(f32x4.mul(m, momentum), step) : m;
    v128.store(p.parameter + at, flush4(f32x4.add(v128.load(p.parameter + at), move)));
  }
}
