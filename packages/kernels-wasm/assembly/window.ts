import { clearFloats, copyFloats } from './memory';

/** Bytes from which memory.copy is worth its call. */
const longRow: usize = 1024;

/**
 * Copies rows [top, top + rows) and columns [left, left + columns) of one NHWC image into a dense block, with zeros
 * where the range leaves the image: padding becomes data, so that no kernel knows of borders.
 */
export function copyWindow(
  target: usize, image: usize, height: i32, width: i32, channels: i32, top: i32, rows: i32, left: i32, columns: i32,
): void {
  const pixel = <usize>channels << 2;
  const first = max(left, 0), last = min(left + columns, width);
  const rowBytes = pixel * <usize>columns;
  for (let r = 0; r < rows; r++) {
    const i = top + r;
    if (i < 0 || i >= height || first >= last) {
      clearFloats(target, rowBytes);
    } else {
      const before = pixel * <usize>(first - left), inside = pixel * <usize>(last - first);
      clearFloats(target, before);
      const source = image + pixel * <usize>(i * width + first);
      if (inside > longRow) memory.copy(target + before, source, inside);
      else copyFloats(target + before, source, inside);
      clearFloats(target + before + inside, rowBytes - before - inside);
    }
    target += rowBytes;
  }
}

/**
 * Rows top, top + rowStep, … and columns left, left + columnStep, … as {@link copyWindow} has them, with the channels in panels of 16:
 * [channels/16][rows][columns][16]. Channels are a multiple of 16.
 */
export function packWindow(
  target: usize, image: usize, height: i32, width: i32, channels: i32, top: i32, rows: i32, rowStep: i32, left: i32, columns: i32, columnStep: i32,
): void {
  const pixel = <usize>channels << 2;
  const panelBytes = <usize>(rows * columns) << 6;
  for (let r = 0; r < rows; r++) {
    const i = top + r * rowStep;
    const inside = i >= 0 && i < height;
    for (let s = 0; s < columns; s++) {
      const j = left + s * columnStep;
      let to = target;
      if (inside && j >= 0 && j < width) {
        let from = image + pixel * <usize>(i * width + j);
        for (const end = from + pixel; from < end; from += 64) {
          v128.store(to, v128.load(from));
          v128.store(to, v128.load(from, 16), 16);
          v128.store(to, v128.load(from, 32), 32);
          v128.store(to, v128.load(from, 48), 48);
          to += panelBytes;
        }
      } else {
        for (let k = 0; k < channels; k += 16) {
          clearFloats(to, 64);
          to += panelBytes;
        }
      }
      target += 64;
    }
  }
}
