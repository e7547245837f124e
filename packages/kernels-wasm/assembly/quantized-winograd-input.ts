import { clearFloats } from './memory';
import { rowOf } from './winograd-input';

/**
 * V = Bᵀ d B for the 6×6 patches of bytes of quantizedWinogradConv, in 16 bits: as winograd-input.ts has it for floats.
 * Strip: [columns][channels/8][6] vectors. Channels are a multiple of 8.
 */

/** Bytes of a strip for one byte of a column: six vectors for eight of them. */
const stripBytes: usize = 12;

/** Bᵀ·d for six vectors; stores six vectors `to` bytes apart. */
@inline function inputValues(d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128, target: usize, to: usize): void {
  const c = i16x8.sub(d4, d2), e = i16x8.sub(d3, d1), twice = i16x8.add(e, e);
  v128.store(target, i16x8.add(i16x8.shl(i16x8.sub(d0, d2), 2), c));
  const a = i16x8.sub(d4, i16x8.shl(d2, 2)), b = i16x8.sub(d3, i16x8.shl(d1, 2));
  v128.store(target + to, i16x8.add(a, b));
  v128.store(target + 2 * to, i16x8.sub(a, b));
  v128.store(target + 3 * to, i16x8.add(c, twice));
  v128.store(target + 4 * to, i16x8.sub(c, twice));
  v128.store(target + 5 * to, i16x8.sub(i16x8.sub(d5, d3), i16x8.add(twice, twice)));
}

/** Bᵀ·d down `bytes` columns of bytes of six rows: 96 bytes in `strip` for eight of them. */
function transformColumns(r0: usize, r1: usize, r2: usize, r3: usize, r4: usize, r5: usize, bytes: usize, strip: usize): void {
  for (let o: usize = 0; o < bytes; o += 8) {
    inputValues(
      v128.load8x8_s(r0 + o), v128.load8x8_s(r1 + o), v128.load8x8_s(r2 + o),
      v128.load8x8_s(r3 + o), v128.load8x8_s(r4 + o), v128.load8x8_s(r5 + o), strip, 16,
    );
    strip += 96;
  }
}

/** The second half for one patch, whose first column is at `strip`. */
function transformRows(strip: usize, channels: usize, target: usize, planeStep: usize): void {
  const column = channels * stripBytes, planeRow = planeStep * 6;
  for (let c: usize = 0; c < channels; c += 8) {
    let from = strip + c * stripBytes, to = target + (c << 1);
    for (const end = from + 96; from < end; from += 16) {
      inputValues(
        v128.load(from), v128.load(from + column), v128.load(from + 2 * column), v128.load(from + 3 * column),
        v128.load(from + 4 * column), v128.load(from + 5 * column), to, planeStep,
      );
      to += planeRow;
    }
  }
}

/**
 * V of tiles [first, first + tiles) of a batch, counted over batch, rows and columns of tiles: channels·2 bytes between tiles.
 * `strip` has room for up to `tiles` tiles, and for a row of zeros.
 */
export function transformTiles(
  x: usize, height: i32, width: i32, inChannels: i32, padTop: i32, padLeft: i32, tileRows: i32, tileColumns: i32, first: i32, tiles: i32,
  V: usize, planeStep: usize, strip: usize,
): void {
  const channels = <usize>inChannels, rowBytes = channels * <usize>width, column = channels * stripBytes;
  for (let t = 0; t < tiles; ) {
    const row = (first + t) / tileColumns, firstColumn = (first + t) % tileColumns;
    const count = min(tileColumns - firstColumn, tiles - t), columns = 4 * count + 2;
    const image = x + rowBytes * <usize>(row / tileRows * height);
    const top = (row % tileRows << 2) - padTop, left = (firstColumn << 2) - padLeft;
    const begin = min(max(left, 0), width), end = max(begin, min(left + columns, width));
    const zeros = strip + column * <usize>columns;
    const inside = channels * <usize>(end - begin), offset = channels * <usize>begin;
    const before = column * <usize>min(max(begin - left, 0), columns), after = strip + before + inside * stripBytes;
    if (top < 0 || top + 6 > height) clearFloats(zeros, inside);
    clearFloats(strip, before);
    clearFloats(after, zeros - after);
    transformColumns(
      rowOf(image, height, rowBytes, top, offset, zeros), rowOf(image, height, rowBytes, top + 1, offset, zeros),
      rowOf(image, height, rowBytes, top + 2, offset, zeros), rowOf(image, height, rowBytes, top + 3, offset, zeros),
      rowOf(image, height, rowBytes, top + 4, offset, zeros), rowOf(image, height, rowBytes, top + 5, offset, zeros),
      inside, strip + before,
    );
    for (let i = 0; i < count; i++) {
      transformRows(strip + column * <usize>(4 * i), channels, V + (channels << 1) * <usize>t, planeStep);
      t++;
    }
  }
}
