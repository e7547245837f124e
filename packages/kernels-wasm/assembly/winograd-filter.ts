import { WinogradFilterGrad, WinogradFilterGradSum } from './generated/records';
import { clearFloats, copyFloats } from './memory';
import { flush4, madd } from './simd';
import { outer2x16 } from './tile';
import { planeBytes } from './winograd';
import { factor2, factor4, factor8, transformTiles, writeFactors } from './winograd-input';

/**
 * conv2dBackpropFilter of a 3×3 window at stride 1: the transpose of the forward Winograd algorithm,
 * dW = Gᵀ[Σ_tiles (Bᵀ x B) ⊙ (A·dY·Aᵀ)]G, a sum of outer products over tiles in each of 36 planes.
 * Traffic: x once and the rows that strips share, dy once; a partial of 36 planes of the filter twice a block of tiles.
 *
 * One thread of an AMD EPYC (Zen 4), Node 20, relaxed-simd, batch 32, operands in the cache / in memory (2026-11-28), GFLOP/s of the
 * direct count: 16 channels at 32×32 106 / 79, 32 at 16×16 118 / 91, 64 at 8×8 138 / 102, 128 at 8×8 134 / 120.
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
 * First half: one partial [36][outChannels/16][inChannels][16] a group of images, which the sums walk through as it lies in memory. The groups
 * depend on shapes only. Task: one group. Scratch: temporaries, a strip of patches, a tile of dy, and of `tilesPerBlock` tiles V and Y, both
 * in panels [36][channels/16][tiles][16], so that a 2×16 tile reads one cache line a position of either.
 */
export function winogradFilterGrad(p: WinogradFilterGrad, task: i32, scratch: usize): void {
  const outPadded = (p.outChannels + 15) & ~15, inPadded = (p.inChannels + 15) & ~15;
  const tileRows = (p.outHeight + 3) >> 2, tileColumns = (p.outWidth + 3) >> 2;
  const tilesPerImage = tileRows * tileColumns;
  const partialStep = <usize>(p.inChannels * outPadded) << 2;
  const partial = p.partials + partialStep * <usize>(planes * task);

  const pixel = <usize>p.inChannels << 2, outPixel = <usize>outPadded << 2;
  const patch = scratch + 2048 + pixel * 7 * <usize>(4 * min(p.tilesPerBlock, tileColumns) + 2), zeros = patch + (outPixel << 4);
  const V = zeros + 128;
  const vStep = planeBytes(p.tilesPerBlock * inPadded), yStep = planeBytes(p.tilesPerBlock * outPadded);
  const Y = V + vStep * planes;
  writeFactors(scratch);
  clearFloats(zeros, 128);
  const panelStep = <usize>p.tilesPerBlock << 6;
  const first = (task * p.batch / p.groups) * tilesPerImage, last = ((task + 1) * p.batch / p.groups) * tilesPerImage;
  for (let block = first; block < last; block += p.tilesPerBlock) {
    const tiles = min(p.tilesPerBlock, last - block);
    transformTiles(
      p.x, p.height, p.width, p.inChannels, p.padTop, p.padLeft, tileRows, tileColumns, block, tiles, V, 64, vStep, panelStep, scratch,
    );
    for (let t = 0; t < tiles; t++) {
      const n = (block + t) / tilesPerImage, inImage = (block + t) % tilesPerImage;
      const row = (inImage / tileColumns) << 2, column = (inImage % tileColumns) << 2;
      const dy = p.dy + (<usize>(n * p.outHeight * p.outWidth * p.outChannels) << 2);
      const target = Y + (<usize>t << 6);
      if (row + 4 <= p.outHeight && column + 4 <= p.outWidth && p.outChannels == outPadded) {
        const corner = dy + outPixel * <usize>(row * p.outWidth + column);
        transformGrad(corner, outPixel * <usize>p.outWidth, outPadded, target, yStep, panelStep, scratch);
      } else {
        copyTile(patch, dy, p.outHeight, p.outWidth, p.outChannels, outPadded, row, column);
        transformGrad(patch, outPixel << 2, outPadded, target, yStep, panelStep, scratch);
      }
    }
    let acc = partial;
    for (let plane = 0; plane < planes; plane++) {
      const v = V + vStep * <usize>plane;
      let y = Y + yStep * <usize>plane;
      for (let k = 0; k < outPadded; k += 16) {
        for (let c = 0; c < p.inChannels; c += 2) {
          outer2x16(acc, block == first ? zeros : acc, v + panelStep * <usize>(c >> 4) + (<usize>(c & 15) << 2), y, 1, tiles, 64, 0, 0);
          acc += 128;
        }
        y += panelStep;
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
    const from = p.partials + (<usize>(((k >> 4) * p.inChannels + task << 4) + (k & 15)) << 2);
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
