import { WinogradFilterGrad, WinogradFilterGradSum } from './generated/records';
import { clearFloats, copyFloats } from './memory';
import { flush4, madd } from './simd';
import { outer2x16 } from './tile';
import { copyWindow } from './window';
import { factor2, factor4, factor8, planeBytes, transformInput, writeFactors } from './winograd';

/**
 * conv2dBackpropFilter of a 3×3 window at stride 1: the transpose of the forward Winograd algorithm,
 * dW = Gᵀ[Σ_tiles (Bᵀ x B) ⊙ (A·dY·Aᵀ)]G, a sum of outer products over tiles in each of 36 planes.
 */

const planes: i32 = 36;

/** A·d for four values `from` bytes apart: six values `to` bytes apart. */
@inline function gradColumn(source: usize, from: usize, target: usize, to: usize, two: v128, four: v128, eight: v128): void {
  const d0 = v128.load(source), d1 = v128.load(source + from), d2 = v128.load(source + 2 * from), d3 = v128.load(source + 3 * from);
  const a = f32x4.add(d0, d2), b = f32x4.add(d1, d3);
  const c = madd(four, d2, d0), e = madd(eight, d3, f32x4.mul(two, d1));
  v128.store(target, d0);
  v128.store(target + to, f32x4.add(a, b));
  v128.store(target + 2 * to, f32x4.sub(a, b));
  v128.store(target + 3 * to, f32x4.add(c, e));
  v128.store(target + 4 * to, f32x4.sub(c, e));
  v128.store(target + 5 * to, d3);
}

/** A·dY·Aᵀ of one 4×4 tile, `rowBytes` between its rows, 4·channels between its pixels; panels of 16 channels lie `panelStep` bytes apart. */
function transformGrad(patch: usize, rowBytes: usize, channels: i32, target: usize, planeStep: usize, panelStep: usize, scratch: usize): void {
  const two = factor2(scratch), four = factor4(scratch), eight = factor8(scratch);
  const pixel = <usize>channels << 2;
  for (let c = <usize>0; c < pixel; c += 16) {
    const to = target + (c >> 6) * panelStep + (c & 63);
    for (let j = <usize>0; j < 4; j++) gradColumn(patch + c + pixel * j, rowBytes, scratch + (j << 4), 64, two, four, eight);
    for (let i = <usize>0; i < 6; i++) gradColumn(scratch + 64 * i, 16, to + planeStep * 6 * i, planeStep, two, four, eight);
  }
}

/** Copies a 4×4 tile of dy, with zeros beyond the image and beyond its channels. */
function copyTile(target: usize, image: usize, height: i32, width: i32, channels: i32, padded: i32, top: i32, left: i32): void {
  const pixel = <usize>channels << 2, step = <usize>padded << 2;
  for (let r = top; r < top + 4; r++) {
    for (let s = left; s < left + 4; s++) {
      if (r < height && s < width) {
        copyFloats(target, image + pixel * <usize>(r * width + s), pixel);
        clearFloats(target + pixel, step - pixel);
      } else clearFloats(target, step);
      target += step;
    }
  }
}

/**
 * First half: one partial [36][inChannels][outChannels padded to 16] a group of images. The groups depend on shapes only.
 * Task: one group. Scratch: temporaries, a patch, V and Y of `tilesPerBlock` tiles.
 */
export function winogradFilterGrad(p: WinogradFilterGrad, task: i32, scratch: usize): void {
  const outPadded = (p.outChannels + 15) & ~15;
  const tileRows = (p.outHeight + 3) >> 2, tileColumns = (p.outWidth + 3) >> 2;
  const tilesPerImage = tileRows * tileColumns;
  const partialStep = <usize>(p.inChannels * outPadded) << 2;
  const partial = p.partials + partialStep * <usize>(planes * task);
  memory.fill(partial, 0, partialStep * planes);

  const pixel = <usize>p.inChannels << 2, outPixel = <usize>outPadded << 2;
  const temporary = scratch, patch = scratch + 2048;
  const V = patch + 36 * max(pixel, outPixel);
  const vStep = planeBytes(p.tilesPerBlock * p.inChannels), yStep = planeBytes(p.tilesPerBlock * outPadded);
  const Y = V + vStep * planes;
  writeFactors(temporary);
  const panelStep = <usize>p.tilesPerBlock << 6;
  const first = (task * p.batch / p.groups) * tilesPerImage, last = ((task + 1) * p.batch / p.groups) * tilesPerImage;
  for (let block = first; block < last; block += p.tilesPerBlock) {
    const tiles = min(p.tilesPerBlock, last - block);
    for (let t = 0; t < tiles; t++) {
      const n = (block + t) / tilesPerImage, inImage = (block + t) % tilesPerImage;
      const row = (inImage / tileColumns) << 2, column = (inImage % tileColumns) << 2;
      const top = row - p.padTop, left = column - p.padLeft;
      const image = p.x + pixel * <usize>(n * p.height * p.width);
      if (top >= 0 && left >= 0 && top + 6 <= p.height && left + 6 <= p.width) {
        transformInput(image + pixel * <usize>(top * p.width + left), pixel * <usize>p.width, p.inChannels, V + pixel * <usize>t, vStep, temporary);
      } else {
        copyWindow(patch, image, p.height, p.width, p.inChannels, top, 6, left, 6);
        transformInput(patch, pixel * 6, p.inChannels, V + pixel * <usize>t, vStep, temporary);
      }
      const dy = p.dy + (<usize>(n * p.outHeight * p.outWidth * p.outChannels) << 2);
      const target = Y + (<usize>t << 6);
      if (row + 4 <= p.outHeight && column + 4 <= p.outWidth && p.outChannels == outPadded) {
        const corner = dy + outPixel * <usize>(row * p.outWidth + column);
        transformGrad(corner, outPixel * <usize>p.outWidth, outPadded, target, yStep, panelStep, temporary);
      } else {
        copyTile(patch, dy, p.outHeight, p.outWidth, p.outChannels, outPadded, row, column);
        transformGrad(patch, outPixel << 2, outPadded, target, yStep, panelStep, temporary);
      }
    }
    for (let plane = 0; plane < planes; plane++) {
      const v = V + vStep * <usize>plane, y = Y + yStep * <usize>plane, acc = partial + partialStep * <usize>plane;
      for (let k = 0; k < outPadded; k += 16) {
        for (let c = 0; c < p.inChannels; c += 2) {
          outer2x16(acc + (<usize>(c * outPadded + k) << 2), outPixel, v + (<usize>c << 2), y + panelStep * <usize>(k >> 4), 1, tiles, pixel, 0, 0);
        }
      }
    }
  }
}

/** Gᵀ·m for six values `from` bytes apart: three values `to` bytes apart. */
@inline function filterColumn(source: usize, from: usize, target: usize, to: usize): void {
  const m0 = v128.load(source), m1 = v128.load(source + from), m2 = v128.load(source + 2 * from);
  const m3 = v128.load(source + 3 * from), m4 = v128.load(source + 4 * from), m5 = v128.load(source + 5 * from);
  const sixth = f32x4.splat(1.0 / 6.0), twelfth = f32x4.splat(1.0 / 12.0), twentyFourth = f32x4.splat(1.0 / 24.0);
  const a = f32x4.mul(f32x4.add(m1, m2), sixth), b = f32x4.add(m3, m4);
  v128.store(target, f32x4.add(f32x4.sub(f32x4.mul(m0, f32x4.splat(0.25)), a), f32x4.mul(b, twentyFourth)));
  v128.store(target + to, f32x4.add(f32x4.mul(f32x4.sub(m2, m1), sixth), f32x4.mul(f32x4.sub(m3, m4), twelfth)));
  v128.store(target + 2 * to, f32x4.add(f32x4.sub(f32x4.mul(b, sixth), a), m5));
}

/** Second half: Σ groups in order, then Gᵀ m G. Task: one input channel. Scratch: 54 vectors. */
export function winogradFilterGradSum(p: WinogradFilterGradSum, task: i32, scratch: usize): void {
  const outPadded = (p.outChannels + 15) & ~15;
  const planeStep = <usize>(p.inChannels * outPadded) << 2;
  const groupStep = planeStep * planes;
  const summed = scratch, half = scratch + 576, taps = half + 288;
  for (let k = 0; k < p.outChannels; k += 4) {
    const from = p.partials + (<usize>(task * outPadded + k) << 2);
    for (let plane = 0; plane < planes; plane++) {
      let source = from + planeStep * <usize>plane;
      let sum = v128.load(source);
      for (let g = 1; g < p.groups; g++) {
        source += groupStep;
        sum = f32x4.add(sum, v128.load(source));
      }
      v128.store(summed + (<usize>plane << 4), sum);
    }
    for (let j = <usize>0; j < 6; j++) filterColumn(summed + (j << 4), 96, half + (j << 4), 96);
    for (let i = <usize>0; i < 3; i++) filterColumn(half + 96 * i, 16, taps + 48 * i, 16);
    for (let tap = 0; tap < 9; tap++) {
      const to = p.dFilter + (<usize>((tap * p.inChannels + task) * p.outChannels + k) << 2);
      const value = flush4(v128.load(taps + (<usize>tap << 4)));
      v128.store(taps + (<usize>tap << 4), value);
      if (k + 4 <= p.outChannels) v128.store(to, value);
      else memory.copy(to, taps + (<usize>tap << 4), <usize>(p.outChannels - k) << 2);
    }
  }
}
