import { clearFloats } from './memory';
import { madd } from './simd';

/**
 * V = Bᵀ d B for the 6×6 patches of Winograd's F(4×4, 3×3): what winogradConv and winogradFilterGrad share.
 *
 * Patches overlap by two rows and columns. A strip of neighbours is transformed down its columns once, 4 + 2/tiles columns a patch instead
 * of 6, in one walk along six rows of the image; then each patch along its rows. Rows beyond the image are read from a row of zeros and columns
 * beyond it are cleared in the strip, so that nothing is copied. Strip: [columns][channels/4][6] vectors. Channels are a multiple of 4.
 */

/** Where a task's scratch has the factors of the transforms, which V8 would rebuild at every use. */
const factors: usize = 1920;

export function writeFactors(scratch: usize): void {
  const at = scratch + factors;
  store<f32>(at, 4);
  store<f32>(at, -4, 4);
  store<f32>(at, -5, 8);
  store<f32>(at, 2, 12);
  store<f32>(at, -2, 16);
  store<f32>(at, 8, 20);
}

@inline export function factor4(scratch: usize): v128 {
  return v128.load32_splat(scratch + factors);
}

@inline export function factor2(scratch: usize): v128 {
  return v128.load32_splat(scratch + factors, 12);
}

@inline export function factor8(scratch: usize): v128 {
  return v128.load32_splat(scratch + factors, 20);
}

/** Bᵀ·d for six values; stores six values `to` bytes apart. */
@inline function inputValues(
  d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128, target: usize, to: usize,
  four: v128, minusFour: v128, minusFive: v128, two: v128, minusTwo: v128,
): void {
  v128.store(target, madd(four, d0, madd(minusFive, d2, d4)));
  const a = madd(minusFour, d2, d4), b = madd(minusFour, d1, d3);
  v128.store(target + to, f32x4.add(a, b));
  v128.store(target + 2 * to, f32x4.sub(a, b));
  const c = f32x4.sub(d4, d2), e = f32x4.sub(d3, d1);
  v128.store(target + 3 * to, madd(two, e, c));
  v128.store(target + 4 * to, madd(minusTwo, e, c));
  v128.store(target + 5 * to, madd(four, d1, madd(minusFive, d3, d5)));
}

/** Bᵀ·d down `bytes`/16 columns of vectors of six rows: 96 bytes each in `strip`. */
function transformColumns(
  r0: usize, r1: usize, r2: usize, r3: usize, r4: usize, r5: usize, bytes: usize, strip: usize, scratch: usize,
): void {
  const at = scratch + factors;
  const four = v128.load32_splat(at), minusFour = v128.load32_splat(at, 4), minusFive = v128.load32_splat(at, 8);
  const two = v128.load32_splat(at, 12), minusTwo = v128.load32_splat(at, 16);
  for (let o: usize = 0; o < bytes; o += 16) {
    inputValues(
      v128.load(r0 + o), v128.load(r1 + o), v128.load(r2 + o), v128.load(r3 + o), v128.load(r4 + o), v128.load(r5 + o), strip, 16,
      four, minusFour, minusFive, two, minusTwo,
    );
    strip += 96;
  }
}

/** The second half for one patch, whose first column is at `strip`; panels of 16 channels lie `panelStep` bytes apart in V. */
function transformRows(strip: usize, pixel: usize, target: usize, planeStep: usize, panelStep: usize, scratch: usize): void {
  const at = scratch + factors;
  const four = v128.load32_splat(at), minusFour = v128.load32_splat(at, 4), minusFive = v128.load32_splat(at, 8);
  const two = v128.load32_splat(at, 12), minusTwo = v128.load32_splat(at, 16);
  const column = pixel * 6, planeRow = planeStep * 6;
  for (let c: usize = 0; c < pixel; c += 16) {
    let from = strip + c * 6, to = target + (c >> 6) * panelStep + (c & 63);
    for (const end = from + 96; from < end; from += 16) {
      inputValues(
        v128.load(from), v128.load(from + column), v128.load(from + 2 * column), v128.load(from + 3 * column),
        v128.load(from + 4 * column), v128.load(from + 5 * column), to, planeStep, four, minusFour, minusFive, two, minusTwo,
      );
      to += planeRow;
    }
  }
}

/** Row `i` of an image, from column `left` on, or the row of zeros. */
@inline function rowOf(image: usize, height: i32, rowBytes: usize, i: i32, left: usize, zeros: usize): usize {
  return i >= 0 && i < height ? image + rowBytes * <usize>i + left : zeros;
}

/**
 * V of tiles [first, first + tiles) of a batch, counted over batch, rows and columns of tiles: `tileStep` bytes between tiles.
 * Scratch: 2048 bytes with the factors, then room for a strip of up to `tiles` tiles and for a row of zeros.
 */
export function transformTiles(
  x: usize, height: i32, width: i32, channels: i32, padTop: i32, padLeft: i32, tileRows: i32, tileColumns: i32, first: i32, tiles: i32,
  V: usize, tileStep: usize, planeStep: usize, panelStep: usize, scratch: usize,
): void {
  const pixel = <usize>channels << 2, rowBytes = pixel * <usize>width;
  for (let t = 0; t < tiles; ) {
    const row = (first + t) / tileColumns, column = (first + t) % tileColumns;
    const count = min(tileColumns - column, tiles - t), columns = 4 * count + 2;
    const image = x + rowBytes * <usize>(row / tileRows * height);
    const top = (row % tileRows << 2) - padTop, left = (column << 2) - padLeft;
    const begin = min(max(left, 0), width), end = max(begin, min(left + columns, width));
    const strip = scratch + 2048, zeros = strip + pixel * 6 * <usize>columns;
    const inside = pixel * <usize>(end - begin), offset = pixel * <usize>begin;
    const before = pixel * 6 * <usize>min(max(begin - left, 0), columns);
    if (top < 0 || top + 6 > height) clearFloats(zeros, inside);
    clearFloats(strip, before);
    clearFloats(strip + before + inside * 6, zeros - (strip + before + inside * 6));
    transformColumns(
      rowOf(image, height, rowBytes, top, offset, zeros), rowOf(image, height, rowBytes, top + 1, offset, zeros),
      rowOf(image, height, rowBytes, top + 2, offset, zeros), rowOf(image, height, rowBytes, top + 3, offset, zeros),
      rowOf(image, height, rowBytes, top + 4, offset, zeros), rowOf(image, height, rowBytes, top + 5, offset, zeros),
      inside, strip + before, scratch,
    );
    for (let i = 0; i < count; i++) {
      transformRows(strip + pixel * 24 * <usize>i, pixel, V + tileStep * <usize>t, planeStep, panelStep, scratch);
      t++;
    }
  }
}
