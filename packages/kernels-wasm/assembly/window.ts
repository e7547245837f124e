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
