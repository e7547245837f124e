import {
  BatchNormApply, BatchNormGradApply, BatchNormGradFinish, BatchNormGradSums, BatchNormInferenceAffine, BatchNormStats, BatchNormStatsFinish,
} from './generated/records';
import { addFloats, channelGradSums, channelMoments, channelSum } from './channels';
import { activationFloor, flushBy, writeEpilogueConstants } from './epilogue';
import { fetchRows } from './memory';
import { flush, madd } from './simd';

/**
 * Batch norms: statistics or sums in chunks of rows, one small task that merges the chunks, and a pass that applies them.
 *
 * One thread of an AMD EPYC (Zen 4), Node 20, relaxed-simd, batch 32, operands in the cache / in memory (2026-11-28, -29),
 * counting the two passes over x, and over dy in the gradient: 16 channels at 32×32 21 / 16 GB/s, 64 at 32×32 24 / 19, 128 at 16×16 22 / 17;
 * the gradient 26 / 20, 28 / 20 and 28 / 21.
 */

/** Rows of a block whose statistics are exact enough in f32; a block of up to 64 channels stays in L1. */
const blockRows: i32 = 64;

@inline function chunkStart(rows: i32, chunks: i32, chunk: i32): i32 {
  return <i32>(<i64>rows * chunk / chunks);
}

/** First row of one of `parts` parts of rows [first, last): where a block begins. */
@inline function partStart(first: i32, last: i32, parts: i32, part: i32): i32 {
  return part == parts ? last : first + ((last - first) / parts * part & -blockRows);
}

/**
 * batchNormTraining, first of three: mean and Σ(x − mean)² of each of `chunks` chunks of rows, per channel.
 *
 * Within a chunk, blocks of 64 rows are summed as distances from the mean of all rows before them (the first from its own, in a second
 * walk while it is in L1), in f32, and merged in f64 (Chan, Golub & LeVeque 1979): one pass over memory, with the accuracy of two. A block whose mean
 * is far from those before loses no more than the distance itself adds to the sum. Task: one of `parts` parts of a chunk, which come in order.
 * partials: [chunks][2][channels] f64. Scratch: 3·channels f32.
 */
export function batchNormStats(p: BatchNormStats, task: i32, scratch: usize): void {
  const channels = p.channels;
  const pixel = <usize>channels << 2, vector = (pixel + 15) & ~15;
  const chunk = task / p.parts, part = task % p.parts;
  const first = chunkStart(p.rows, p.chunks, chunk), last = chunkStart(p.rows, p.chunks, chunk + 1);
  const begin = partStart(first, last, p.parts, part), end = partStart(first, last, p.parts, part + 1);
  const mean = p.partials + (<usize>(chunk * 2 * channels) << 3), squares = mean + (<usize>channels << 3);
  const shift = scratch, blockSums = shift + vector, blockSquares = blockSums + vector;
  if (part == 0) memory.fill(mean, 0, <usize>channels << 4);
  if (begin >= end) return;
  if (begin == first) {
    const firstRows = min(blockRows, last - first);
    channelSum(p.x + pixel * <usize>first, firstRows, channels, shift);
    for (let c: usize = 0; c < pixel; c += 4) store<f32>(shift + c, load<f32>(shift + c) / <f32>firstRows);
  } else {
    for (let c: usize = 0; c < pixel; c += 4) store<f32>(shift + c, <f32>load<f64>(mean + (c << 1)));
  }
  for (let row = begin; row < end; row += blockRows) {
    const rows = min(blockRows, end - row);
    channelMoments(p.x + pixel * <usize>row, rows, channels, shift, blockSums, blockSquares);
    mergeBlock(<f64>(row - first), <f64>rows, channels, mean, squares, shift, blockSums, blockSquares);
  }
}

/**
 * Adds a block of `rows` rows to the statistics of `count` rows: mean and squares f64, the others f32, of which `shift` becomes the new mean.
 * The last of an odd number of channels goes by itself.
 */
function mergeBlock(
  count: f64, rows: f64, channels: i32, mean: usize, squares: usize, shift: usize, blockSums: usize, blockSquares: usize,
): void {
  const total = count + rows;
  const inverse = f64x2.splat(1 / rows), weight = f64x2.splat(rows / total), between = f64x2.splat(count * rows / total);
  for (let c = 0; c < channels; c += 2) {
    const at = <usize>c << 3, from = <usize>c << 2;
    const sums = f64x2.promote_low_f32x4(v128.load64_zero(blockSums + from));
    const around = f64x2.promote_low_f32x4(v128.load64_zero(blockSquares + from));
    const origin = f64x2.promote_low_f32x4(v128.load64_zero(shift + from));
    const single = c + 1 == channels;
    const before = single ? v128.load64_zero(mean + at) : v128.load(mean + at);
    const squared = single ? v128.load64_zero(squares + at) : v128.load(squares + at);
    // Of the first block, nothing was before.
    const offset = f64x2.mul(sums, inverse);
    const delta = count == 0 ? f64x2.add(origin, offset) : f64x2.add(f64x2.sub(origin, before), offset);
    const within = f64x2.max(f64x2.sub(around, f64x2.mul(sums, offset)), f64x2.splat(0));
    const newMean = f64x2.add(before, f64x2.mul(delta, weight));
    const newSquares = f64x2.add(f64x2.add(squared, within), f64x2.mul(f64x2.mul(delta, delta), between));
    const rounded = f32x4.demote_f64x2_zero(newMean);
    if (single) {
      v128.store64_lane(mean + at, newMean, 0);
      v128.store64_lane(squares + at, newSquares, 0);
      v128.store32_lane(shift + from, rounded, 0);
    } else {
      v128.store(mean + at, newMean);
      v128.store(squares + at, newSquares);
      v128.store64_lane(shift + from, rounded, 0);
    }
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

/** Last: y = act((x − mean)·scale + beta + residual). Task: `rowsPerTask` rows, front to back, in pairs. Traffic: x, residual and y once. */
export function batchNormApply(p: BatchNormApply, task: i32): void {
  const step = <usize>p.channels << 2;
  const first = task * p.rowsPerTask, end = step * <usize>min(first + p.rowsPerTask, p.rows);
  let offset = step * <usize>first;
  for (; offset + step < end; offset += 2 * step) applyRows(p, offset, step);
  // A last row is a pair with itself.
  if (offset < end) applyRows(p, offset, 0);
}

/** Two rows `step` bytes apart. */
@inline function applyRows(p: BatchNormApply, offset: usize, step: usize): void {
  const bytes = <usize>p.channels << 2, whole = bytes & ~15;
  const mean = p.affine, scale = mean + bytes, beta = scale + bytes;
  const floor = activationFloor(p.relu), least = f32x4.splat(floor);
  const x = p.x + offset, y = p.y + offset, residual: usize = p.residual == 0 ? 0 : p.residual + offset;
  const x1 = x + step, y1 = y + step, residual1 = residual + step;
  fetchRows(x, 2, step);
  fetchRows(y, 2, step);
  if (residual != 0) fetchRows(residual, 2, step);
  for (let c: usize = 0; c < whole; c += 16) {
    const m = v128.load(mean + c), s = v128.load(scale + c), b = v128.load(beta + c);
    let v0 = madd(f32x4.sub(v128.load(x + c), m), s, b), v1 = madd(f32x4.sub(v128.load(x1 + c), m), s, b);
    if (residual != 0) {
      v0 = f32x4.add(v0, v128.load(residual + c));
      v1 = f32x4.add(v1, v128.load(residual1 + c));
    }
    v128.store(y + c, f32x4.pmax(v0, least));
    v128.store(y1 + c, f32x4.pmax(v1, least));
  }
  for (let c = whole; c < bytes; c += 4) {
    const m = load<f32>(mean + c), s = load<f32>(scale + c), b = load<f32>(beta + c);
    let v0 = (load<f32>(x + c) - m) * s + b, v1 = (load<f32>(x1 + c) - m) * s + b;
    if (residual != 0) {
      v0 += load<f32>(residual + c);
      v1 += load<f32>(residual1 + c);
    }
    store<f32>(y + c, v0 < floor ? floor : v0);
    store<f32>(y1 + c, v1 < floor ? floor : v1);
  }
}

/**
 * batchNormGrad, first of three: Σ dy and Σ dy·(x − mean) of each chunk of rows, per channel; f32 within blocks, f64
 * across. Task: one of `parts` parts of a chunk, which come in order. partials: [chunks][2][channels] f64. Scratch: 2·channels f32.
 */
export function batchNormGradSums(p: BatchNormGradSums, task: i32, scratch: usize): void {
  const channels = p.channels;
  const pixel = <usize>channels << 2;
  const chunk = task / p.parts, part = task % p.parts;
  const first = chunkStart(p.rows, p.chunks, chunk), last = chunkStart(p.rows, p.chunks, chunk + 1), end = partStart(first, last, p.parts, part + 1);
  const sums = p.partials + (<usize>(chunk * 2 * channels) << 3), products = sums + (<usize>channels << 3);
  const blockSum = scratch, blockProduct = scratch + ((pixel + 15) & ~15);
  if (part == 0) memory.fill(sums, 0, <usize>channels << 4);
  for (let row = partStart(first, last, p.parts, part); row < end; row += blockRows) {
    const rows = min(blockRows, end - row);
    const offset = pixel * <usize>row;
    channelGradSums(p.dy + offset, p.x + offset, rows, channels, p.mean, blockSum, blockProduct);
    addFloats(sums, blockSum, channels);
    addFloats(products, blockProduct, channels);
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

/** Last: dx = a·dy + b·(x − mean) + c + residual. Task: `rowsPerTask` rows, front to back, in pairs. Traffic: dy, x, residual and dx once. */
export function batchNormGradApply(p: BatchNormGradApply, task: i32, scratch: usize): void {
  const step = <usize>p.channels << 2;
  const first = task * p.rowsPerTask, end = step * <usize>min(first + p.rowsPerTask, p.rows);
  writeEpilogueConstants(scratch);
  let offset = step * <usize>first;
  for (; offset + step < end; offset += 2 * step) applyGradRows(p, offset, step, scratch);
  // A last row is a pair with itself.
  if (offset < end) applyGradRows(p, offset, 0, scratch);
}

/** Two rows `step` bytes apart. */
@inline function applyGradRows(p: BatchNormGradApply, offset: usize, step: usize, constants: usize): void {
  const bytes = <usize>p.channels << 2, whole = bytes & ~15;
  const mean = p.coefficients, a = mean + bytes, b = a + bytes, constant = b + bytes;
  const magnitude = v128.load32_splat(constants), normal = v128.load32_splat(constants, 4);
  const dy = p.dy + offset, x = p.x + offset, dx = p.dx + offset;
  const residual: usize = p.residual == 0 ? 0 : p.residual + offset;
  const dy1 = dy + step, x1 = x + step, dx1 = dx + step, residual1 = residual + step;
  fetchRows(dy, 2, step);
  fetchRows(x, 2, step);
  if (residual != 0) fetchRows(residual, 2, step);
  fetchRows(dx, 2, step);
  for (let c: usize = 0; c < whole; c += 16) {
    const m = v128.load(mean + c), ofX = v128.load(b + c), ofDy = v128.load(a + c), rest = v128.load(constant + c);
    let v0 = madd(v128.load(dy + c), ofDy, madd(f32x4.sub(v128.load(x + c), m), ofX, rest));
    let v1 = madd(v128.load(dy1 + c), ofDy, madd(f32x4.sub(v128.load(x1 + c), m), ofX, rest));
    if (residual != 0) {
      v0 = f32x4.add(v0, v128.load(residual + c));
      v1 = f32x4.add(v1, v128.load(residual1 + c));
    }
    v128.store(dx + c, flushBy(v0, magnitude, normal));
    v128.store(dx1 + c, flushBy(v1, magnitude, normal));
  }
  for (let c = whole; c < bytes; c += 4) {
    const m = load<f32>(mean + c), ofX = load<f32>(b + c), ofDy = load<f32>(a + c), rest = load<f32>(constant + c);
    let v0 = load<f32>(dy + c) * ofDy + ((load<f32>(x + c) - m) * ofX + rest);
    let v1 = load<f32>(dy1 + c) * ofDy + ((load<f32>(x1 + c) - m) * ofX + rest);
    if (residual != 0) {
      v0 += load<f32>(residual + c);
      v1 += load<f32>(residual1 + c);
    }
    store<f32>(dx + c, flush(v0));
    store<f32>(dx1 + c, flush(v1));
  }
}
