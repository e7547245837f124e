import { UnscaleGradient, UpdateLossScale } from './generated/records';
import { finite, flush4 } from './simd';

const taskElements: i32 = 16384;

/** unscaled = gradient / lossScale. Task: 16384 elements. Traffic: gradient and result once. */
export function unscaleGradient(p: UnscaleGradient, task: i32): void {
  const end = <usize>min((task + 1) * taskElements, p.count) << 2;
  const scale = f32x4.splat(load<f32>(p.lossScale));
  for (let at = <usize>(task * taskElements) << 2; at < end; at += 16) {
    v128.store(p.unscaled + at, flush4(f32x4.div(v128.load(p.gradient + at), scale)));
  }
}

/** One task. */
export function updateLossScale(p: UpdateLossScale): void {
  const scale = load<f32>(p.lossScale);
  if (!finite(p.norm)) {
    store<f32>(p.lossScale, max<f32>(scale * 0.5, p.minimum));
    store<f32>(p.goodSteps, 0);
    return;
  }
  const good = load<f32>(p.goodSteps) + 1;
  const grown = good >= p.growthSteps;
  store<f32>(p.goodSteps, grown ? 0 : good);
  if (grown) store<f32>(p.lossScale, min<f32>(scale * 2, p.maximum));
}
