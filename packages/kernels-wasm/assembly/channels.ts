import { ChannelSums, ChannelSumsFinish, ShiftChannels } from './generated/records';
import { clearFloats, copyFloats, fetchRows } from './memory';
import { flush, madd } from './simd';

/**
 * Sums over rows, per channel, of a [rows, channels] block in f32. They walk through memory front to back, four rows side by side, with the
 * sums in L1: a walk down a few channels of many rows would wait for every cache line, since no prefetcher follows it.
 */

/** out[c] = Σ_r x[r,c] */
export function channelSum(x: usize, rows: i32, channels: i32, out: usize): void {
  const step = <usize>channels << 2, whole = step & ~15, end = x + step * <usize>rows;
  clearFloats(out, step);
  for (const quads = x + step * <usize>(rows & ~3); x < quads; x += 4 * step) {
    fetchRows(x, 4, step);
    const x1 = x + step, x2 = x1 + step, x3 = x2 + step;
    for (let c: usize = 0; c < whole; c += 16) {
      const left = f32x4.add(v128.load(x + c), v128.load(x1 + c)), right = f32x4.add(v128.load(x2 + c), v128.load(x3 + c));
      v128.store(out + c, f32x4.add(v128.load(out + c), f32x4.add(left, right)));
    }
    for (let c = whole; c < step; c += 4) {
      const left = load<f32>(x + c) + load<f32>(x1 + c), right = load<f32>(x2 + c) + load<f32>(x3 + c);
      store<f32>(out + c, load<f32>(out + c) + (left + right));
    }
  }
  for (; x < end; x += step) {
    for (let c: usize = 0; c < step; c += 4) store<f32>(out + c, load<f32>(out + c) + load<f32>(x + c));
  }
}

/** sums[c] = Σ_r (x[r,c] − shift[c]) and squares[c] = Σ_r (x[r,c] − shift[c])² in one walk. */
export function channelMoments(x: usize, rows: i32, channels: i32, shift: usize, sums: usize, squares: usize): void {
  const step = <usize>channels << 2, whole = step & ~15, end = x + step * <usize>rows;
  clearFloats(sums, step);
  clearFloats(squares, step);
  for (const quads = x + step * <usize>(rows & ~3); x < quads; x += 4 * step) {
    fetchRows(x, 4, step);
    const x1 = x + step, x2 = x1 + step, x3 = x2 + step;
    for (let c: usize = 0; c < whole; c += 16) {
      const m = v128.load(shift + c);
      const d0 = f32x4.sub(v128.load(x + c), m), d1 = f32x4.sub(v128.load(x1 + c), m);
      const d2 = f32x4.sub(v128.load(x2 + c), m), d3 = f32x4.sub(v128.load(x3 + c), m);
      v128.store(sums + c, f32x4.add(v128.load(sums + c), f32x4.add(f32x4.add(d0, d1), f32x4.add(d2, d3))));
      v128.store(squares + c, f32x4.add(madd(d0, d0, madd(d1, d1, v128.load(squares + c))), madd(d2, d2, f32x4.mul(d3, d3))));
    }
    for (let c = whole; c < step; c += 4) {
      const m = load<f32>(shift + c);
      const d0 = load<f32>(x + c) - m, d1 = load<f32>(x1 + c) - m, d2 = load<f32>(x2 + c) - m, d3 = load<f32>(x3 + c) - m;
      store<f32>(sums + c, load<f32>(sums + c) + (d0 + d1 + (d2 + d3)));
      store<f32>(squares + c, load<f32>(squares + c) + (d0 * d0 + d1 * d1 + (d2 * d2 + d3 * d3)));
    }
  }
  for (; x < end; x += step) {
    for (let c: usize = 0; c < step; c += 4) {
      const d = load<f32>(x + c) - load<f32>(shift + c);
      store<f32>(sums + c, load<f32>(sums + c) + d);
      store<f32>(squares + c, load<f32>(squares + c) + d * d);
    }
  }
}

/** sums[c] = Σ_r dy[r,c] and products[c] = Σ_r dy[r,c]·(x[r,c] − mean[c]) in one walk through both. */
export function channelGradSums(dy: usize, x: usize, rows: i32, channels: i32, mean: usize, sums: usize, products: usize): void {
  const step = <usize>channels << 2, whole = step & ~15, end = dy + step * <usize>rows;
  clearFloats(sums, step);
  clearFloats(products, step);
  for (const pairs = dy + step * <usize>(rows & ~1); dy < pairs; dy += 2 * step) {
    fetchRows(dy, 2, step);
    fetchRows(x, 2, step);
    const dy1 = dy + step, x1 = x + step;
    for (let c: usize = 0; c < whole; c += 16) {
      const d0 = v128.load(dy + c), d1 = v128.load(dy1 + c), m = v128.load(mean + c);
      v128.store(sums + c, f32x4.add(v128.load(sums + c), f32x4.add(d0, d1)));
      const product = madd(d1, f32x4.sub(v128.load(x1 + c), m), v128.load(products + c));
      v128.store(products + c, madd(d0, f32x4.sub(v128.load(x + c), m), product));
    }
    for (let c = whole; c < step; c += 4) {
      const d0 = load<f32>(dy + c), d1 = load<f32>(dy1 + c), m = load<f32>(mean + c);
      store<f32>(sums + c, load<f32>(sums + c) + (d0 + d1));
      store<f32>(products + c, load<f32>(products + c) + (d0 * (load<f32>(x + c) - m) + d1 * (load<f32>(x1 + c) - m)));
    }
    x += 2 * step;
  }
  if (dy < end) {
    for (let c: usize = 0; c < step; c += 4) {
      const d = load<f32>(dy + c);
      store<f32>(sums + c, load<f32>(sums + c) + d);
      store<f32>(products + c, load<f32>(products + c) + d * (load<f32>(x + c) - load<f32>(mean + c)));
    }
  }
}

const blockRows: i32 = 64;

/** sums[c] += values[c], f64 and f32. */
export function addFloats(sums: usize, values: usize, channels: i32): void {
  for (let c = channels >> 1; c > 0; c--) {
    v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(v128.load64_zero(values))));
    sums += 16;
    values += 8;
  }
  if ((channels & 1) != 0) store<f64>(sums, load<f64>(sums) + <f64>load<f32>(values));
}

/** biasAddGrad, first half: Σ over each of `chunks` chunks of rows; f32 within blocks of 64 rows, f64 across. Task: one chunk. */
export function channelSums(p: ChannelSums, task: i32, scratch: usize): void {
  const channels = p.channels;
  const first = <i32>(<i64>p.rows * task / p.chunks), last = <i32>(<i64>p.rows * (task + 1) / p.chunks);
  const sums = p.partials + (<usize>(task * channels) << 3);
  memory.fill(sums, 0, <usize>channels << 3);
  for (let row = first; row < last; row += blockRows) {
    channelSum(p.x + (<usize>(row * channels) << 2), min(blockRows, last - row), channels, scratch);
    addFloats(sums, scratch, channels);
  }
}

/** Second half: the chunks in order. One task. */
export function channelSumsFinish(p: ChannelSumsFinish): void {
  for (let c = 0; c < p.channels; c++) {
    let sum: f64 = 0;
    for (let g = 0; g < p.chunks; g++) sum += load<f64>(p.partials + (<usize>(g * p.channels + c) << 3));
    store<f32>(p.y + (<usize>c << 2), flush(<f32>sum));
  }
}

/** padChannels and sliceChannels: y[r,c] = x[r,c + shift] where x has that channel, else 0. Task: `rowsPerTask` rows. */
export function shiftChannels(p: ShiftChannels, task: i32): void {
  const first = min(max(-p.shift, 0), p.outChannels);
  const last = max(first, min(p.inChannels - p.shift, p.outChannels));
  const before = <usize>first << 2, copied = <usize>(last - first) << 2, after = <usize>(p.outChannels - last) << 2;
  const row = task * p.rowsPerTask, end = min(row + p.rowsPerTask, p.rows);
  let x = p.x + (<usize>(row * p.inChannels) << 2) + (<usize>max(p.shift, 0) << 2);
  let y = p.y + (<usize>(row * p.outChannels) << 2);
  for (let r = row; r < end; r++) {
    clearFloats(y, before);
    copyFloats(y + before, x, copied);
    clearFloats(y + before + copied, after);
    x += <usize>p.inChannels << 2;
    y += <usize>p.outChannels << 2;
  }
}
