import {
  BatchNormApply, BatchNormGradApply, BatchNormGradFinish, BatchNormGradSums, BatchNormInferenceAffine, BatchNormStats, BatchNormStatsFinish,
} from './generated/records';
import { channelGradSums, channelSum, channelSumOfSquares } from './channels';
import { flush, flush4, madd, relu4 } from './simd';

/**
 * Batch norms: statistics or sums in chunks of rows, one small task that merges the chunks, and a pass that applies them.
 *
 * One thread of an AMD EPYC (Zen 4), Node 20, relaxed-simd, batch 32, operands in the cache / in memory (2026-11-28),
 * counting the two passes over x, and over dy in the gradient: 16 channels at 32×32 21 / 16 GB/s, 64 at 32×32 24 / 19, 128 at 16×16 22 / 10;
 * the gradient 26 / 20, 28 / 20 and 28 / 13.
 */

/** Rows of a block whose statistics are exact enough in f32; a block of up to 64 channels stays in L1. */
const blockRows: i32 = 64;

@inline function chunkStart(rows: i32, chunks: i32, chunk: i32): i32 {
  return <i32>(<i64>rows * chunk / chunks);
}

/**
 * batchNormTraining, first of three: mean and Σ(x − mean)² of each of `chunks` chunks of rows, per channel.
 *
 * Within a chunk, blocks of 64 rows are summed twice while they are in L1 (mean, then squared distances from it), and
 * merged in f64 (Chan, Golub & LeVeque 1979): one pass over memory, with the accuracy of two. Task: one chunk.
 * partials: [chunks][2][channels] f64. Scratch: 2·channels f32.
 */
export function batchNormStats(p: BatchNormStats, task: i32, scratch: usize): void {
  const channels = p.channels;
  const pixel = <usize>channels << 2;
  const first = chunkStart(p.rows, p.chunks, task), last = chunkStart(p.rows, p.chunks, task + 1);
  const mean = p.partials + (<usize>(task * 2 * channels) << 3), squares = mean + (<usize>channels << 3);
  const blockMean = scratch, blockSquares = scratch + ((pixel + 15) & ~15);
  memory.fill(mean, 0, <usize>channels << 4);
  let count: f64 = 0;
  for (let row = first; row < last; row += blockRows) {
    const rows = min(blockRows, last - row);
    const x = p.x + pixel * <usize>row;
    channelSum(x, rows, channels, blockMean);
    const inverse: f32 = 1 / <f32>rows;
    for (let c = 0; c < channels; c++) store<f32>(blockMean + (<usize>c << 2), load<f32>(blockMean + (<usize>c << 2)) * inverse);
    channelSumOfSquares(x, rows, channels, blockMean, blockSquares);
    const total = count + rows;
    const weight = <f64>rows / total, between = count * rows / total;
    for (let c = 0; c < channels; c++) {
      const at = <usize>c << 3;
      const delta = <f64>load<f32>(blockMean + (at >> 1)) - load<f64>(mean + at);
      store<f64>(mean + at, load<f64>(mean + at) + delta * weight);
      store<f64>(squares + at, load<f64>(squares + at) + <f64>load<f32>(blockSquares + (at >> 1)) + delta * delta * between);
    }
    count = total;
  }
}

/**
 * Second: merges the chunks in order, writes mean and inverseStd, updates the moving statistics, and prepares what
 * batchNormApply reads: affine = [mean, scale = gamma·inverseStd, beta], each [channels]. One task.
 */
export function batchNormStatsFinish(p: BatchNormStatsFinish): void {
  const channels = p.channels;
  for (let c = 0; c < channels; c++) {
    const at = <usize>c << 3, out = <usize>c << 2;
    let mean: f64 = 0, squares: f64 = 0, count: f64 = 0;
    for (let g = 0; g < p.chunks; g++) {
      const chunk = p.partials + (<usize>(g * 2 * channels) << 3) + at;
      const size = <f64>(chunkStart(p.rows, p.chunks, g + 1) - chunkStart(p.rows, p.chunks, g));
      const total = count + size;
      const delta = load<f64>(chunk) - mean;
      mean += delta * (size / total);
      squares += load<f64>(chunk + (<usize>channels << 3)) + delta * delta * (count * size / total);
      count = total;
    }
    const variance = squares / count;
    const inverseStd = 1 / sqrt(variance + <f64>p.epsilon);
    store<f32>(p.mean + out, <f32>mean);
    store<f32>(p.inverseStd + out, <f32>inverseStd);
    const moving = p.unbiased != 0 && count > 1 ? squares / (count - 1) : variance;
    updateMoving(p.movingMean + out, mean, p.momentum, p.oneMinusMomentum);
    updateMoving(p.movingVariance + out, moving, p.momentum, p.oneMinusMomentum);
    storeAffine(p.affine + out, channels, <f32>mean, <f64>load<f32>(p.gamma + out) * inverseStd, load<f32>(p.beta + out));
  }
}

@inline function updateMoving(moving: usize, batch: f64, momentum: f32, oneMinusMomentum: f32): void {
  store<f32>(moving, flush(<f32>(<f64>load<f32>(moving) * <f64>momentum + batch * <f64>oneMinusMomentum)));
}

@inline function storeAffine(target: usize, channels: i32, mean: f32, scale: f64, beta: f32): void {
  const step = <usize>channels << 2;
  store<f32>(target, mean);
  store<f32>(target + step, <f32>scale);
  store<f32>(target + 2 * step, beta);
}

/** batchNormInference, first of two: affine = [mean, gamma/√(variance + epsilon), beta]. One task. */
export function batchNormInferenceAffine(p: BatchNormInferenceAffine): void {
  for (let c = 0; c < p.channels; c++) {
    const at = <usize>c << 2;
    const scale = <f64>load<f32>(p.gamma + at) / sqrt(<f64>load<f32>(p.variance + at) + <f64>p.epsilon);
    storeAffine(p.affine + at, p.channels, load<f32>(p.mean + at), scale, load<f32>(p.beta + at));
  }
}

/** Last: y = act((x − mean)·scale + beta + residual). Task: `rowsPerTask` rows, front to back. Traffic: x, residual and y once. */
export function batchNormApply(p: BatchNormApply, task: i32): void {
  const step = <usize>p.channels << 2, whole = step & ~15;
  const first = task * p.rowsPerTask, last = min(first + p.rowsPerTask, p.rows);
  const mean = p.affine, scale = mean + step, beta = scale + step, relu = p.relu != 0;
  let x = p.x + step * <usize>first, y = p.y + step * <usize>first, residual = p.residual + step * <usize>first;
  for (const end = p.x + step * <usize>last; x < end; x += step) {
    for (let c: usize = 0; c < whole; c += 16) {
      let value = madd(f32x4.sub(v128.load(x + c), v128.load(mean + c)), v128.load(scale + c), v128.load(beta + c));
      if (p.residual != 0) value = f32x4.add(value, v128.load(residual + c));
      if (relu) value = relu4(value);
      v128.store(y + c, value);
    }
    for (let c = whole; c < step; c += 4) {
      let value = (load<f32>(x + c) - load<f32>(mean + c)) * load<f32>(scale + c) + load<f32>(beta + c);
      if (p.residual != 0) value += load<f32>(residual + c);
      if (relu && value < 0) value = 0;
      store<f32>(y + c, value);
    }
    y += step;
    residual += step;
  }
}

/**
 * batchNormGrad, first of three: Σ dy and Σ dy·(x − mean) of each chunk of rows, per channel; f32 within blocks, f64
 * across. Task: one chunk. partials: [chunks][2][channels] f64. Scratch: 2·channels f32.
 */
export function batchNormGradSums(p: BatchNormGradSums, task: i32, scratch: usize): void {
  const channels = p.channels;
  const pixel = <usize>channels << 2;
  const first = chunkStart(p.rows, p.chunks, task), last = chunkStart(p.rows, p.chunks, task + 1);
  const sums = p.partials + (<usize>(task * 2 * channels) << 3), products = sums + (<usize>channels << 3);
  const blockSum = scratch, blockProduct = scratch + ((pixel + 15) & ~15);
  memory.fill(sums, 0, <usize>channels << 4);
  for (let row = first; row < last; row += blockRows) {
    const rows = min(blockRows, last - row);
    const offset = pixel * <usize>row;
    channelGradSums(p.dy + offset, p.x + offset, rows, channels, p.mean, blockSum, blockProduct);
    for (let c = 0; c < channels; c++) {
      const at = <usize>c << 3;
      store<f64>(sums + at, load<f64>(sums + at) + <f64>load<f32>(blockSum + (at >> 1)));
      store<f64>(products + at, load<f64>(products + at) + <f64>load<f32>(blockProduct + (at >> 1)));
    }
  }
}

/**
 * Second: dBeta = Σ dy, dGamma = inverseStd·Σ dy·(x − mean), and coefficients = [mean, a, b, c] of
 * dx = a·dy + b·(x − mean) + c. One task.
 */
export function batchNormGradFinish(p: BatchNormGradFinish): void {
  const channels = p.channels;
  const step = <usize>channels << 2;
  for (let c = 0; c < channels; c++) {
    const out = <usize>c << 2;
    let sum: f64 = 0, product: f64 = 0;
    for (let g = 0; g < p.chunks; g++) {
      const chunk = p.partials + (<usize>(g * 2 * channels + c) << 3);
      sum += load<f64>(chunk);
      product += load<f64>(chunk + (<usize>channels << 3));
    }
    const inverseStd = <f64>load<f32>(p.inverseStd + out);
    const scale = <f64>load<f32>(p.gamma + out) * inverseStd;
    store<f32>(p.dBeta + out, flush(<f32>sum));
    store<f32>(p.dGamma + out, flush(<f32>(product * inverseStd)));
    const target = p.coefficients + out;
    store<f32>(target, load<f32>(p.mean + out));
    store<f32>(target + step, <f32>scale);
    store<f32>(target + 2 * step, flush(<f32>(-scale * inverseStd * inverseStd * product / p.rows)));
    store<f32>(target + 3 * step, flush(<f32>(-scale * sum / p.rows)));
  }
}

/** Last: dx = a·dy + b·(x − mean) + c + residual. Task: `rowsPerTask` rows, front to back. Traffic: dy, x, residual and dx once. */
export function batchNormGradApply(p: BatchNormGradApply, task: i32): void {
  const step = <usize>p.channels << 2, whole = step & ~15;
  const first = task * p.rowsPerTask, last = min(first + p.rowsPerTask, p.rows);
  const mean = p.coefficients, a = mean + step, b = a + step, constant = b + step;
  const start = step * <usize>first;
  let dy = p.dy + start, x = p.x + start, dx = p.dx + start, residual = p.residual + start;
  for (const end = p.x + step * <usize>last; x < end; x += step) {
    for (let c: usize = 0; c < whole; c += 16) {
      const fromX = madd(f32x4.sub(v128.load(x + c), v128.load(mean + c)), v128.load(b + c), v128.load(constant + c));
      let value = madd(v128.load(dy + c), v128.load(a + c), fromX);
      if (p.residual != 0) value = f32x4.add(value, v128.load(residual + c));
      v128.store(dx + c, flush4(value));
    }
    for (let c = whole; c < step; c += 4) {
      let value = load<f32>(dy + c) * load<f32>(a + c) + ((load<f32>(x + c) - load<f32>(mean + c)) * load<f32>(b + c) + load<f32>(constant + c));
      if (p.residual != 0) value += load<f32>(residual + c);
      store<f32>(dx + c, flush(value));
    }
    dy += step;
    dx += step;
    residual += step;
  }
}
