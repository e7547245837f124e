import { Adam } from './generated/records';
import { flush4 } from './simd';

const taskElements: i32 = 16384;

/**
 * Adam in place, epsilon-hat form. m and v decay towards zero and would end as subnormals: they are flushed.
 * Task: 16384 elements. Traffic: gradient once, parameter, m and v twice.
 */
export function adam(p: Adam, task: i32): void {
  const end = <usize>min((task + 1) * taskElements, p.count) << 2;
  const beta1 = f32x4.splat(p.beta1), beta2 = f32x4.splat(p.beta2);
  const rest1 = f32x4.splat(p.oneMinusBeta1), rest2 = f32x4.splat(p.oneMinusBeta2);
  const epsilon = f32x4.splat(p.epsilon), stepSize = f32x4.splat(load<f32>(p.stepSize));
  for (let at = <usize>(task * taskElements) << 2; at < end; at += 16) {
    const gradient = v128.load(p.gradient + at);
    const m = flush4(f32x4.add(f32x4.mul(v128.load(p.m + at), beta1), f32x4.mul(gradient, rest1)));
    const v = flush4(f32x4.add(f32x4.mul(v128.load(p.v + at), beta2), f32x4.mul(f32x4.mul(gradient, gradient), rest2)));
    const step = f32x4.div(f32x4.mul(m, stepSize), f32x4.add(f32x4.sqrt(v), epsilon));
    v128.store(p.parameter + at, f32x4.sub(v128.load(p.parameter + at), step));
    v128.store(p.m + at, m);
    v128.store(p.v + at, v);
  }
}
