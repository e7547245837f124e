import { WinogradFilterGrad, WinogradFilterGradSum } from './generated/records';
import { clearFloats, copyFloats } from './memory';
import { flush4, madd } from './simd';
import { outer2x16 } from './tile';
import { planeBytes } from './winograd';
import { factor4, factorBytes, stripColumns, transformRowToPanels, transformStrips, writeFactors } from './winograd-input';

/**
 * conv2dBackpropFilter of a 3×3 window at stride 1: the transpose of the forward Winograd algorithm,
 * dW = Gᵀ[Σ_tiles (Bᵀ x B) ⊙ (A·dY·Aᵀ)]G, a sum of outer products over tiles in each of 36 planes.
 * Traffic: x once and the rows that strips share, dy once; a partial of 36 planes of the filter twice a block of tiles.
 *
 * One thread of an AMD EPYC (Zen 4), Node 20, relaxed-simd, 8 images in the cache / 128 in memory (2026-11-28), GFLOP/s of the
 * direct count: 16 channels at 32×32 122 / 100, 32 at 16×16 142 / 129, 64 at 8×8 119 / 148.
 */

const planes: i32 = 36;

/** A·d for four values `from` bytes apart: six values `to` bytes apart. */
@inline function gradValues(source: usize, from: usize, target: usize, to: usize, four: v128): void {
  const d0 = v128.load(source), d1 = v128.load(source + from), d2 = v128.load(source + 2 * from), d3 = v128.load(source + 3 * from);
  const a = f32x4.add(d0, d2), b = f32x4.add(d1, d3), c = madd(four, d2, d0), half = madd(four, d3, d1), e = f32x4.add(half, half);
  v128.store(target, d0);
  v128.store(target + to, f32x4.add(a, b));
  v128.store(target + 2 * to, f32x4.sub(a, b));
  v128.store(target + 3 * to, f32x4.add(c, e));
  v128.store(target + 4 * to, f32x4.sub(c, e));
  v128.store(target + 5 * to, d3);
}

/** Four rows of dy down their columns: A·dY, six rows of `bytes`, `step` bytes apart. */
function transformGradColumns(dy: usize, rowBytes: usize, bytes: usize, target: usize, step: usize, scratch: usize): void {
  const four = factor4(scratch);
  for (let o: usize = 0; o < bytes; o += 16) gradValues(dy + o, rowBytes, target + o, step, four);
}

/** Copies `columns` pixels of four rows of dy, with zeros beyond the image and beyond its channels; the rows lie `rowBytes` bytes apart. */
function copyRows(
  target: usize, rowBytes: usize, image: usize, height: i32, width: i32, channels: i32, padded: i32, top: i32, left: i32, columns: i32,
): void {
  const pixel = <usize>channels << 2, step = <usize>padded << 2;
  for (let r = top; r < top + 4; r++) {
    let to = target;
    for (let s = left; s < left + columns; s++) {
      if (r < height && s < width) {
        copyFloats(to, image + pixel * <usize>(r * width + s), pixel);
        clearFloats(to + pixel, step - pixel);
      } else clearFloats(to, step);
      to += step;
    }
    target += rowBytes;
  }
}

/** A·dY of tiles [first, first + tiles): six rows `step` bytes apart, each with four pixels of outPadded channels a tile. */
function transformGradStrips(p: WinogradFilterGrad, outPadded: i32, first: i32, tiles: i32, target: usize, step: usize, copy: usize, scratch: usize): void {
  const tileRows = (p.outHeight + 3) >> 2, tileColumns = (p.outWidth + 3) >> 2;
  const outPixel = <usize>outPadded << 2;
  for (let t = 0; t < tiles; ) {
    const row = (first + t) / tileColumns, left = ((first + t) % tileColumns) << 2;
    const count = min(tileColumns - (left >> 2), tiles - t), columns = count << 2;
    const top = (row % tileRows) << 2;
    const image = p.dy + (<usize>(row / tileRows * p.outHeight * p.outWidth * p.outChannels) << 2);
    const bytes = outPixel * <usize>columns;
    if (top + 4 <= p.outHeight && left + columns <= p.outWidth && p.outChannels == outPadded) {
      const corner = image + outPixel * <usize>(top * p.outWidth + left);
      transformGradColumns(corner, outPixel * <usize>p.outWidth, bytes, target, step, scratch);
    } else {
      copyRows(copy, bytes, image, p.outHeight, p.outWidth, p.outChannels, outPadded, top, left, columns);
      transformGradColumns(copy, bytes, bytes, target, step, scratch);
    }
    target += bytes;
    t += count;
  }
}

/** Six planes of A·dY·Aᵀ from one row of A·dY; panels of 16 channels lie `panelStep` bytes apart. */
function transformGradRow(strips: usize, outPixel: usize, tiles: i32, Y: usize, planeStep: usize, panelStep: usize, scratch: usize): void {
  const four = factor4(scratch);
  for (let t = 0; t < tiles; t++) {
    let to = Y;
    for (let c: usize = 0; c < outPixel; c += 64) {
      for (let k: usize = 0; k < 64; k += 16) gradValues(strips + c + k, outPixel, to + k, planeStep, four);
      to += panelStep;
    }
    Y += 64;
    strips += outPixel << 2;
  }
}

/**
 * First half: one partial [36][outChannels/16][inChannels][16] a group of images, which the sums walk through as it lies in memory. The groups
 * depend on shapes only. Task: one of `parts` parts of a group, which come in order. Scratch: factors, a vector of zeros, of `tilesPerBlock` tiles strips of patches and of dy, four rows of dy,
 * and of one row of patches V and Y, both in panels [6][channels/16][tiles][16], so that a 2×16 tile reads one cache line a position of either.
 */
export function winogradFilterGrad(p: WinogradFilterGrad, task: i32, scratch: usize): void {
  const outPadded = (p.outChannels + 15) & ~15, inPadded = (p.inChannels + 15) & ~15;
  const tileRows = (p.outHeight + 3) >> 2, tileColumns = (p.outWidth + 3) >> 2;
  const tilesPerImage = tileRows * tileColumns;
  const planeStep = planeBytes(p.inChannels * outPadded);
  const group = task / p.parts, part = task % p.parts;
  const partial = p.partials + planeStep * <usize>(planes * group);

  const pixel = <usize>p.inChannels << 2, outPixel = <usize>outPadded << 2;
  const zeros = scratch + factorBytes, strips = zeros + 128;
  const stripStep = planeBytes(stripColumns(p.tilesPerBlock, tileColumns) * p.inChannels), gradStep = planeBytes(p.tilesPerBlock * 4 * outPadded);
  const gradStrips = strips + 6 * stripStep + pixel * <usize>(4 * min(p.tilesPerBlock, tileColumns) + 2), copy = gradStrips + 6 * gradStep;
  const V = copy + (outPixel << 4) * <usize>min(p.tilesPerBlock, tileColumns);
  const vStep = planeBytes(p.tilesPerBlock * inPadded), yStep = planeBytes(p.tilesPerBlock * outPadded);
  const Y = V + vStep * 6;
  writeFactors(scratch);
  clearFloats(zeros, 128);
  const panelStep = <usize>p.tilesPerBlock << 6;
  const firstImage = group * p.batch / p.groups, images = (group + 1) * p.batch / p.groups - firstImage;
  const first = (firstImage + images * part / p.parts) * tilesPerImage, last = (firstImage + images * (part + 1) / p.parts) * tilesPerImage;
  for (let block = first; block < last; block += p.tilesPerBlock) {
    const tiles = min(p.tilesPerBlock, last - block);
    transformStrips(
      p.x, p.height, p.width, p.inChannels, p.padTop, p.padLeft, tileRows, tileColumns, block, tiles, strips, stripStep, scratch,
    );
    transformGradStrips(p, outPadded, block, tiles, gradStrips, gradStep, copy, scratch);
    for (let i: usize = 0; i < 6; i++) {
      transformRowToPanels(strips + stripStep * i, p.inChannels, tileColumns, block, tiles, V, vStep, panelStep, scratch);
      transformGradRow(gradStrips + gradStep * i, outPixel, tiles, Y, yStep, panelStep, scratch);
      for (let plane: usize = 0; plane < 6; plane++) {
        const v = V + vStep * plane;
        let y = Y + yStep * plane, acc = partial + planeStep * (i * 6 + plane);
        for (let k = 0; k < outPadded; k += 16) {
          for (let c = 0; c < p.inChannels; c += 2) {
            outer2x16(acc, part == 0 && block == first ? zeros : acc, v + panelStep * <usize>(c >> 4) + (<usize>(c & 15) << 2), y, 1, tiles, 64, 0, 0);
            acc += 128;
          }
          y += panelStep;
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

/**
 * Second half: Σ groups in order, then Gᵀ m G, of 16 output channels at a time. Task: four input channels, whose sums lie one behind the other.
 * Scratch: 603 vectors.
 */
export function winogradFilterGradSum(p: WinogradFilterGradSum, task: i32, scratch: usize): void {
  const outPadded = (p.outChannels + 15) & ~15;
  const planeStep = planeBytes(p.inChannels * outPadded), groupStep = planeStep * planes;
  const half = scratch + 9216, taps = half + 288;
  for (let k = 0; k < p.outChannels; k += 16) {
    let from = p.partials + (<usize>(k * p.inChannels + (task << 6)) << 2);
    for (let plane = 0; plane < planes; plane++) {
      const to = scratch + (<usize>plane << 4);
      for (let lanes: usize = 0; lanes < 256; lanes += 64) {
        let source = from + lanes;
        const end = source + groupStep * <usize>p.groups;
        let a = v128.load(source), b = v128.load(source, 16), c = v128.load(source, 32), d = v128.load(source, 48);
        for (source += groupStep; source < end; source += groupStep) {
          a = f32x4.add(a, v128.load(source));
          b = f32x4.add(b, v128.load(source, 16));
          c = f32x4.add(c, v128.load(source, 32));
          d = f32x4.add(d, v128.load(source, 48));
        }
        const summed = to + lanes * planes;
        v128.store(summed, a);
        v128.store(summed, b, 16 * planes);
        v128.store(summed, c, 32 * planes);
        v128.store(summed, d, 48 * planes);
      }
      from += planeStep;
    }
    const columns = min(16, p.outChannels - k);
    for (let channel = 0; channel < 4; channel++) {
      for (let c = 0; c < columns; c += 4) {
        const summed = scratch + <usize>((channel << 6) + (c << 2)) * planes;
        for (let j = <usize>0; j < 6; j++) filterColumn(summed + (j << 4), 96, half + (j << 4), 96);
        for (let i = <usize>0; i < 3; i++) filterColumn(half + 96 * i, 16, taps + 48 * i, 16);
        for (let tap = 0; tap < 9; tap++) {
          const to = p.dFilter + (<usize>((tap * p.inChannels + (task << 2) + channel) * p.outChannels + k + c) << 2);
          const value = flush4(v128.load(taps + (<usize>tap << 4)));
          v128.store(taps + (<usize>tap << 4), value);
          if (c + 4 <= columns) v128.store(to, value);
          else memory.copy(to, taps + (<usize>tap << 4), <usize>(columns - c) << 2);
        }
      }
    }
  }
}
