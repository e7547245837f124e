import { AveragePool2d, AveragePool2dGrad, MaxPool2d, MaxPool2dGrad } from './generated/records';
import { flush, flush4 } from './simd';

/** Pooling in plain loops; a small share of any residual network. Task: one output row of one image, or one image (gradients). */

export function maxPool2d(p: MaxPool2d, task: i32): void {
  const n = task / p.outHeight, i = task % p.outHeight;
  const image = p.x + (<usize>(n * p.height * p.width * p.channels) << 2);
  let y = p.y + (<usize>(task * p.outWidth * p.channels) << 2);
  const top = i * p.strideHeight - p.padTop;
  for (let j = 0; j < p.outWidth; j++) {
    const left = j * p.strideWidth - p.padLeft;
    for (let c = 0; c < p.channels; c++) {
      let best: f32 = 0, found = false;
      for (let r = max(top, 0); r < min(top + p.windowHeight, p.height); r++) {
        for (let s = max(left, 0); s < min(left + p.windowWidth, p.width); s++) {
          const value = load<f32>(image + (<usize>((r * p.width + s) * p.channels + c) << 2));
          if (!found || value > best || value != value) best = value;
          found = true;
        }
      }
      store<f32>(y, best);
      y += 4;
    }
  }
}

export function maxPool2dGrad(p: MaxPool2dGrad, n: i32): void {
  const inSize = p.height * p.width * p.channels, outSize = p.outHeight * p.outWidth * p.channels;
  const x = p.x + (<usize>(n * inSize) << 2), dx = p.dx + (<usize>(n * inSize) << 2);
  let y = p.y + (<usize>(n * outSize) << 2), dy = p.dy + (<usize>(n * outSize) << 2);
  memory.fill(dx, 0, <usize>inSize << 2);
  for (let i = 0; i < p.outHeight; i++) {
    const top = i * p.strideHeight - p.padTop;
    for (let j = 0; j < p.outWidth; j++) {
      const left = j * p.strideWidth - p.padLeft;
      for (let c = 0; c < p.channels; c++) {
        const at = firstEqual(p, x, max(top, 0), max(left, 0), min(top + p.windowHeight, p.height), min(left + p.windowWidth, p.width), c, load<f32>(y));
        store<f32>(dx + at, flush(load<f32>(dx + at) + load<f32>(dy)));
        y += 4;
        dy += 4;
      }
    }
  }
}

/** Byte offset of the first element of a window, in row order, that equals the maximum. */
function firstEqual(p: MaxPool2dGrad, x: usize, top: i32, left: i32, bottom: i32, right: i32, c: i32, maximum: f32): usize {
  for (let r = top; r < bottom; r++) {
    for (let s = left; s < right; s++) {
      const at = <usize>((r * p.width + s) * p.channels + c) << 2;
      if (load<f32>(x + at) == maximum) return at;
    }
  }
  return <usize>((top * p.width + left) * p.channels + c) << 2;
}

/** Sums in f64, four channels at a time. */
export function averagePool2d(p: AveragePool2d, task: i32): void {
  const n = task / p.outHeight, i = task % p.outHeight;
  const pixel = <usize>p.channels << 2, rowBytes = pixel * <usize>p.width, whole = pixel & ~15;
  const image = p.x + rowBytes * <usize>(n * p.height);
  let y = p.y + pixel * <usize>(task * p.outWidth);
  const top = i * p.strideHeight - p.padTop;
  const firstRow = max(top, 0), lastRow = min(top + p.windowHeight, p.height);
  for (let j = 0; j < p.outWidth; j++) {
    const left = j * p.strideWidth - p.padLeft;
    const first = max(left, 0), last = min(left + p.windowWidth, p.width);
    const corner = image + rowBytes * <usize>firstRow + pixel * <usize>first;
    const rows = lastRow - firstRow, across = pixel * <usize>(last - first), count = rows * (last - first);
    const share = f64x2.splat(1 / <f64>count), divisor = f64x2.splat(<f64>count), isPower = popcnt(count) == 1;
    for (let c: usize = 0; c < whole; c += 16) {
      let low = f64x2.splat(0), high = f64x2.splat(0);
      for (let r = 0; r < rows; r++) {
        let x = corner + rowBytes * <usize>r + c;
        for (const end = x + across; x < end; x += pixel) {
          low = f64x2.add(low, f64x2.promote_low_f32x4(v128.load64_zero(x)));
          high = f64x2.add(high, f64x2.promote_low_f32x4(v128.load64_zero(x, 8)));
        }
      }
      // A power of two has an exact inverse, and divisions are slow.
      low = f32x4.demote_f64x2_zero(isPower ? f64x2.mul(low, share) : f64x2.div(low, divisor));
      high = f32x4.demote_f64x2_zero(isPower ? f64x2.mul(high, share) : f64x2.div(high, divisor));
      v128.store(y + c, flush4(v128.shuffle<i64>(low, high, 0, 2)));
    }
    for (let c = whole; c < pixel; c += 4) {
      let sum: f64 = 0;
      for (let r = 0; r < rows; r++) {
        let x = corner + rowBytes * <usize>r + c;
        for (const end = x + across; x < end; x += pixel) sum += <f64>load<f32>(x);
      }
      store<f32>(y + c, flush(<f32>(sum / <f64>count)));
    }
    y += pixel;
  }
}

export function averagePool2dGrad(p: AveragePool2dGrad, n: i32): void {
  const inSize = p.height * p.width * p.channels;
  const dx = p.dx + (<usize>(n * inSize) << 2);
  let dy = p.dy + (<usize>(n * p.outHeight * p.outWidth * p.channels) << 2);
  memory.fill(dx, 0, <usize>inSize << 2);
  for (let i = 0; i < p.outHeight; i++) {
    const top = i * p.strideHeight - p.padTop;
    const firstRow = max(top, 0), lastRow = min(top + p.windowHeight, p.height);
    for (let j = 0; j < p.outWidth; j++) {
      const left = j * p.strideWidth - p.padLeft;
      const first = max(left, 0), last = min(left + p.windowWidth, p.width);
      const count = <f32>((lastRow - firstRow) * (last - first));
      for (let c = 0; c < p.channels; c++) {
        const share = load<f32>(dy) / count;
        for (let r = firstRow; r < lastRow; r++) {
          for (let s = first; s < last; s++) {
            const at = dx + (<usize>((r * p.width + s) * p.channels + c) << 2);
            store<f32>(at, flush(load<f32>(at) + share));
          }
        }
        dy += 4;
      }
    }
  }
}
