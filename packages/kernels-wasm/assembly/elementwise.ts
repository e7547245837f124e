import {
  Add, Affine, BiasAdd, BroadcastScalar, Fill, L2PenaltyGrad, Multiply, Relu, ReluGrad, Sigmoid, SigmoidGrad, Sum, SumFinish,
} from './generated/records';
import { exp4 } from './exp';
import { flush, flush4, relu4 } from './simd';

/**
 * Elementwise kernels. Task: elements [task·16384, …). They work on whole vectors: every tensor is padded to 64 bytes, so
 * the last vector may run over the end of the data, not of the memory. Traffic: each operand once.
 */
const taskElements: i32 = 16384;

@inline function firstByte(task: i32): usize {
  return <usize>(task * taskElements) << 2;
}

@inline function lastByte(task: i32, count: i32): usize {
  return <usize>min((task + 1) * taskElements, count) << 2;
}

export function relu(p: Relu, task: i32): void {
  const end = lastByte(task, p.count);
  for (let at = firstByte(task); at < end; at += 16) v128.store(p.y + at, relu4(v128.load(p.x + at)));
}

export function reluGrad(p: ReluGrad, task: i32): void {
  const end = lastByte(task, p.count);
  const zero = f32x4.splat(0);
  for (let at = firstByte(task); at < end; at += 16) {
    v128.store(p.dx + at, v128.and(v128.load(p.dy + at), f32x4.gt(v128.load(p.y + at), zero)));
  }
}

/** 1/(1 + e^−x), from e^−|x| so that nothing overflows. */
export function sigmoid(p: Sigmoid, task: i32): void {
  const end = lastByte(task, p.count);
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  for (let at = firstByte(task); at < end; at += 16) {
    const x = v128.load(p.x + at);
    const e = exp4(f32x4.neg(f32x4.abs(x)));
    const numerator = v128.bitselect(e, one, f32x4.lt(x, zero));
    v128.store(p.y + at, flush4(f32x4.div(numerator, f32x4.add(one, e))));
  }
}

export function sigmoidGrad(p: SigmoidGrad, task: i32): void {
  const end = lastByte(task, p.count);
  const one = f32x4.splat(1);
  for (let at = firstByte(task); at < end; at += 16) {
    const y = v128.load(p.y + at);
    v128.store(p.dx + at, flush4(f32x4.mul(v128.load(p.dy + at), f32x4.mul(y, f32x4.sub(one, y)))));
  }
}

export function add(p: Add, task: i32): void {
  const end = lastByte(task, p.count);
  for (let at = firstByte(task); at < end; at += 16) v128.store(p.y + at, f32x4.add(v128.load(p.a + at), v128.load(p.b + at)));
}

export function multiply(p: Multiply, task: i32): void {
  const end = lastByte(task, p.count);
  for (let at = firstByte(task); at < end; at += 16) v128.store(p.y + at, flush4(f32x4.mul(v128.load(p.a + at), v128.load(p.b + at))));
}

export function affine(p: Affine, task: i32): void {
  const end = lastByte(task, p.count);
  const scale = f32x4.splat(p.scale), offset = f32x4.splat(p.offset);
  for (let at = firstByte(task); at < end; at += 16) {
    v128.store(p.y + at, flush4(f32x4.add(f32x4.mul(v128.load(p.x + at), scale), offset)));
  }
}

export function l2PenaltyGrad(p: L2PenaltyGrad, task: i32): void {
  const end = lastByte(task, p.count);
  const scale = f32x4.splat(2 * p.scale * load<f32>(p.dy));
  for (let at = firstByte(task); at < end; at += 16) v128.store(p.dw + at, flush4(f32x4.mul(v128.load(p.w + at), scale)));
}

export function fill(p: Fill, task: i32): void {
  fillRange(p.y, task, p.count, p.value);
}

export function broadcastScalar(p: BroadcastScalar, task: i32): void {
  fillRange(p.y, task, p.count, load<f32>(p.x));
}

function fillRange(y: usize, task: i32, count: i32, value: f32): void {
  const end = lastByte(task, count);
  const values = f32x4.splat(value);
  for (let at = firstByte(task); at < end; at += 16) v128.store(y + at, values);
}

/** y = x + bias. Task: `rowsPerTask` rows. */
export function biasAdd(p: BiasAdd, task: i32): void {
  const step = <usize>p.channels << 2;
  const whole = p.channels & ~3;
  const first = task * p.rowsPerTask, last = min(first + p.rowsPerTask, p.rows);
  for (let c = 0; c < p.channels; c += c < whole ? 4 : 1) {
    let at = step * <usize>first + (<usize>c << 2);
    const end = step * <usize>last;
    if (c < whole) {
      const bias = v128.load(p.bias + (<usize>c << 2));
      for (; at < end; at += step) v128.store(p.y + at, f32x4.add(v128.load(p.x + at), bias));
    } else {
      const bias = load<f32>(p.bias + (<usize>c << 2));
      for (; at < end; at += step) store<f32>(p.y + at, load<f32>(p.x + at) + bias);
    }
  }
}

/** reduceSum and l2Penalty, first half: Σ x or Σ x² of each chunk in f64. Task: one chunk. */
export function sum(p: Sum, task: i32): void {
  const first = <i32>(<i64>p.count * task / p.chunks), last = <i32>(<i64>p.count * (task + 1) / p.chunks);
  let even: f64 = 0, odd: f64 = 0;
  let at = p.x + (<usize>first << 2);
  const end = p.x + (<usize>last << 2);
  for (; at + 8 <= end; at += 8) {
    const a = <f64>load<f32>(at), b = <f64>load<f32>(at, 4);
    even += p.squares != 0 ? a * a : a;
    odd += p.squares != 0 ? b * b : b;
  }
  if (at < end) {
    const a = <f64>load<f32>(at);
    even += p.squares != 0 ? a * a : a;
  }
  store<f64>(p.partials + (<usize>task << 3), even + odd);
}

/** Second half: scale·Σ chunks, in order. One task. */
export function sumFinish(p: SumFinish): void {
  let total: f64 = 0;
  for (let g = 0; g < p.chunks; g++) total += load<f64>(p.partials + (<usize>g << 3));
  store<f32>(p.y, flush(<f32>(total * <f64>p.scale)));
}
