import { ChannelSums, ChannelSumsFinish, ShiftChannels } from './generated/records';
import { clearFloats, copyFloats } from './memory';
import { flush, madd } from './simd';

/** Sums over rows, per channel, of a [rows, channels] block in f32. Eight channels at a time, then fewer. */

/** out[c] = Σ_r x[r,c]; even and odd rows apart, which halves the longest chain of roundings. */
export function channelSum(x: usize, rows: i32, channels: i32, out: usize): void {
  const step = <usize>channels << 2;
  let c = 0;
  for (; c + 8 <= channels; c += 8) {
    let p = x + (<usize>c << 2);
    const end = p + step * <usize>(rows & ~1);
    const zero = f32x4.splat(0);
    let even0 = zero, even1 = zero, odd0 = zero, odd1 = zero;
    for (; p < end; p += step << 1) {
      even0 = f32x4.add(even0, v128.load(p));
      even1 = f32x4.add(even1, v128.load(p, 16));
      odd0 = f32x4.add(odd0, v128.load(p + step));
      odd1 = f32x4.add(odd1, v128.load(p + step, 16));
    }
    if (rows & 1) {
      even0 = f32x4.add(even0, v128.load(p));
      even1 = f32x4.add(even1, v128.load(p, 16));
    }
    const o = out + (<usize>c << 2);
    v128.store(o, f32x4.add(even0, odd0));
    v128.store(o, f32x4.add(even1, odd1), 16);
  }
  for (; c + 4 <= channels; c += 4) {
    let p = x + (<usize>c << 2);
    const end = p + step * <usize>rows;
    let s = f32x4.splat(0);
    for (; p < end; p += step) s = f32x4.add(s, v128.load(p));
    v128.store(out + (<usize>c << 2), s);
  }
  for (; c < channels; c++) {
    let p = x + (<usize>c << 2);
    const end = p + step * <usize>rows;
    let s: f32 = 0;
    for (; p < end; p += step) s += load<f32>(p);
    store<f32>(out + (<usize>c << 2), s);
  }
}

/** out[c] = Σ_r (x[r,c] − mean[c])² */
export function channelSumOfSquares(x: usize, rows: i32, channels: i32, mean: usize, out: usize): void {
  channelSumOfProducts(0, x, rows, channels, mean, out);
}

/** out[c] = Σ_r dy[r,c]·(x[r,c] − mean[c]); with dy = 0, Σ_r (x[r,c] − mean[c])². */
export function channelSumOfProducts(dy: usize, x: usize, rows: i32, channels: i32, mean: usize, out: usize): void {
  const step = <usize>channels << 2;
  let c = 0;
  for (; c + 8 <= channels; c += 8) {
    let p = <usize>c << 2;
    const m0 = v128.load(mean + p), m1 = v128.load(mean + p, 16);
    const end = p + step * <usize>rows;
    let s0 = f32x4.splat(0), s1 = s0;
    if (dy == 0) {
      for (; p < end; p += step) {
        const d0 = f32x4.sub(v128.load(x + p), m0), d1 = f32x4.sub(v128.load(x + p, 16), m1);
        s0 = madd(d0, d0, s0);
        s1 = madd(d1, d1, s1);
      }
    } else {
      for (; p < end; p += step) {
        s0 = madd(v128.load(dy + p), f32x4.sub(v128.load(x + p), m0), s0);
        s1 = madd(v128.load(dy + p, 16), f32x4.sub(v128.load(x + p, 16), m1), s1);
      }
    }
    v128.store(out + (<usize>c << 2), s0);
    v128.store(out + (<usize>c << 2), s1, 16);
  }
  for (; c < channels; c++) {
    let p = <usize>c << 2;
    const m = load<f32>(mean + p);
    const end = p + step * <usize>rows;
    let s: f32 = 0;
    for (; p < end; p += step) {
      const d = load<f32>(x + p) - m;
      s += (dy == 0 ? d : load<f32>(dy + p)) * d;
    }
    store<f32>(out + (<usize>c << 2), s);
  }
}

const blockRows: i32 = 64;

/** biasAddGrad, first half: Σ over each of `chunks` chunks of rows; f32 within blocks of 64 rows, f64 across. Task: one chunk. */
export function channelSums(p: ChannelSums, task: i32, scratch: usize): void {
  const channels = p.channels;
  const first = <i32>(<i64>p.rows * task / p.chunks), last = <i32>(<i64>p.rows * (task + 1) / p.chunks);
  const sums = p.partials + (<usize>(task * channels) << 3);
  memory.fill(sums, 0, <usize>channels << 3);
  for (let row = first; row < last; row += blockRows) {
    channelSum(p.x + (<usize>(row * channels) << 2), min(blockRows, last - row), channels, scratch);
    for (let c = 0; c < channels; c++) {
      const at = sums + (<usize>c << 3);
      store<f64>(at, load<f64>(at) + <f64>load<f32>(scratch + (<usize>c << 2)));
    }
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
