import { clearFloats } from './memory';
import { madd } from './simd';

/**
 * V = Bᵀ d B for the 6×6 patches of Winograd's F(4×4, 3×3): what winogradConv and winogradFilterGrad share.
 *
 * First the patches of a task are transformed down their columns, all six rows of Bᵀ d at once, in one walk along six rows of the image
 * for each strip of neighbours: patches overlap by two columns, so that a strip has 4 + 2/tiles columns a patch instead of 6. Then, row by row
 * of Bᵀ d, patches are transformed along it into six planes, which are used up before the next six overwrite them, while they are in L1. Rows
 * beyond the image are read from a row of zeros and columns beyond it are cleared, so that nothing is copied. Channels are a multiple of 4.
 */

/** Bytes at the head of a task's scratch: the factors of the transforms, which V8 would rebuild at every use. */
export const factorBytes: usize = 64;

export function writeFactors(scratch: usize): void {
  store<f32>(scratch, 4);
  store<f32>(scratch, -4, 4);
  store<f32>(scratch, -5, 8);
  store<f32>(scratch, 2, 12);
  store<f32>(scratch, -2, 16);
}

@inline export function factor4(scratch: usize): v128 {
  return v128.load32_splat(scratch);
}

/** Most columns that the strips of `tiles` tiles have, one strip behind the other: of tiles in one row of tiles four each, and two. */
@inline export function stripColumns(tiles: i32, tileColumns: i32): i32 {
  return 4 * tiles + 2 * ((tiles - 1) / tileColumns + 2);
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

/** Bᵀ·d down `bytes`/16 columns of vectors of six rows, into six rows `step` bytes apart. */
function transformColumns(
  r0: usize, r1: usize, r2: usize, r3: usize, r4: usize, r5: usize, bytes: usize, target: usize, step: usize, scratch: usize,
): void {
  const four = v128.load32_splat(scratch), minusFour = v128.load32_splat(scratch, 4), minusFive = v128.load32_splat(scratch, 8);
  const two = v128.load32_splat(scratch, 12), minusTwo = v128.load32_splat(scratch, 16);
  for (let o: usize = 0; o < bytes; o += 16) {
    inputValues(
      v128.load(r0 + o), v128.load(r1 + o), v128.load(r2 + o), v128.load(r3 + o), v128.load(r4 + o), v128.load(r5 + o), target + o, step,
      four, minusFour, minusFive, two, minusTwo,
    );
  }
}

/** Row `i` of an image, from column `left` on, or the row of zeros. */
@inline export function rowOf(image: usize, height: i32, rowBytes: usize, i: i32, left: usize, zeros: usize): usize {
  return i >= 0 && i < height ? image + rowBytes * <usize>i + left : zeros;
}

/**
 * First half: Bᵀ d of tiles [first, first + tiles) of a batch, counted over batch, rows and columns of tiles. Its six rows lie `step` bytes
 * apart, each with {@link stripColumns} pixels. Behind them is room for a row of zeros as long as a strip.
 */
export function transformStrips(
  x: usize, height: i32, width: i32, channels: i32, padTop: i32, padLeft: i32, tileRows: i32, tileColumns: i32, first: i32, tiles: i32,
  target: usize, step: usize, scratch: usize,
): void {
  const pixel = <usize>channels << 2, rowBytes = pixel * <usize>width;
  const zeros = target + 6 * step;
  for (let t = 0; t < tiles; ) {
    const row = (first + t) / tileColumns, column = (first + t) % tileColumns;
    const count = min(tileColumns - column, tiles - t), columns = 4 * count + 2;
    const image = x + rowBytes * <usize>(row / tileRows * height);
    const top = (row % tileRows << 2) - padTop, left = (column << 2) - padLeft;
    const begin = min(max(left, 0), width), end = max(begin, min(left + columns, width));
    const inside = pixel * <usize>(end - begin), offset = pixel * <usize>begin;
    const before = pixel * <usize>min(max(begin - left, 0), columns), after = pixel * <usize>columns - before - inside;
    if (top < 0 || top + 6 > height) clearFloats(zeros, inside);
    for (let i: usize = 0; i < 6; i++) {
      clearFloats(target + step * i, before);
      clearFloats(target + step * i + before + inside, after);
    }
    transformColumns(
      rowOf(image, height, rowBytes, top, offset, zeros), rowOf(image, height, rowBytes, top + 1, offset, zeros),
      rowOf(image, height, rowBytes, top + 2, offset, zeros), rowOf(image, height, rowBytes, top + 3, offset, zeros),
      rowOf(image, height, rowBytes, top + 4, offset, zeros), rowOf(image, height, rowBytes, top + 5, offset, zeros),
      inside, target + before, step, scratch,
    );
    target += pixel * <usize>columns;
    t += count;
  }
}

/** Bᵀ·d for six neighbours `pixel` bytes apart; stores six values `to` bytes apart. */
@inline function inputNeighbours(
  from: usize, pixel: usize, target: usize, to: usize, four: v128, minusFour: v128, minusFive: v128, two: v128, minusTwo: v128,
): void {
  inputValues(
    v128.load(from), v128.load(from + pixel), v128.load(from + 2 * pixel),
    v128.load(from + 3 * pixel), v128.load(from + 4 * pixel), v128.load(from + 5 * pixel), target, to,
    four, minusFour, minusFive, two, minusTwo,
  );
}

/** Bytes from one patch's row of Bᵀ d to the next one's, of a patch that ends at tile column `next`. */
@inline function patchStep(pixel: usize, next: i32, tileColumns: i32): usize {
  return next == tileColumns ? pixel * 6 : pixel << 2;
}

/**
 * Second half, for winogradConv: one row of Bᵀ d, at `strips`, becomes six planes of V, [tiles][channels/4][6][4]. Steps that are constants need no
 * instructions of their own.
 */
export function transformRow(strips: usize, channels: i32, tileColumns: i32, first: i32, tiles: i32, V: usize, scratch: usize): void {
  const four = v128.load32_splat(scratch), minusFour = v128.load32_splat(scratch, 4), minusFive = v128.load32_splat(scratch, 8);
  const two = v128.load32_splat(scratch, 12), minusTwo = v128.load32_splat(scratch, 16);
  const pixel = <usize>channels << 2;
  let column = first % tileColumns;
  for (let t = 0; t < tiles; t++) {
    for (let c: usize = 0; c < pixel; c += 16) {
      inputNeighbours(strips + c, pixel, V, 16, four, minusFour, minusFive, two, minusTwo);
      V += 96;
    }
    strips += patchStep(pixel, ++column, tileColumns);
    if (column == tileColumns) column = 0;
  }
}

/** Second half, for winogradFilterGrad: six planes `planeStep` bytes apart, in panels `panelStep` bytes apart, [channels/16][tiles][16]. */
export function transformRowToPanels(
  strips: usize, channels: i32, tileColumns: i32, first: i32, tiles: i32, V: usize, planeStep: usize, panelStep: usize, scratch: usize,
): void {
  const four = v128.load32_splat(scratch), minusFour = v128.load32_splat(scratch, 4), minusFive = v128.load32_splat(scratch, 8);
  const two = v128.load32_splat(scratch, 12), minusTwo = v128.load32_splat(scratch, 16);
  const pixel = <usize>channels << 2;
  let column = first % tileColumns;
  for (let t = 0; t < tiles; t++) {
    let to = V;
    for (let c: usize = 0; c < pixel; c += 64) {
      const rest = min<usize>(64, pixel - c);
      for (let k: usize = 0; k < rest; k += 16) {
        inputNeighbours(strips + c + k, pixel, to + k, planeStep, four, minusFour, minusFive, two, minusTwo);
      }
      to += panelStep;
    }
    V += 64;
    strips += patchStep(pixel, ++column, tileColumns);
    if (column == tileColumns) column = 0;
  }
}
