import { MatMul } from './generated/records';
import { flush } from './simd';
import { rows2x16 } from './tile';

/**
 * Matrix product with packed panels of b. Task: `rowsPerTask` rows of a. Rows of a are gathered to scratch first, so
 * that a transposed a runs through the same microkernel. Traffic: a and y once, the panels once a task.
 */
export function matMul(p: MatMul, task: i32, scratch: usize): void {
  const first = task * p.rowsPerTask, last = min(first + p.rowsPerTask, p.rows);
  const tile = scratch, gathered = scratch + 128;
  const rowBytes = <usize>p.inner << 2;
  for (let i = first; i < last; i += 2) {
    const pair = i + 1 < last;
    gather(p, i, gathered);
    if (pair) gather(p, i + 1, gathered + rowBytes);
    for (let j = 0; j < p.columns; j += 16) {
      rows2x16(tile, 64, p.panels + (<usize>((j >> 4) * p.inner) << 6), gathered, pair ? rowBytes : 0, 1, 1, p.inner, 0);
      storeRow(p, i, j, tile);
      if (pair) storeRow(p, i + 1, j, tile + 64);
    }
  }
}

function gather(p: MatMul, row: i32, target: usize): void {
  let source = p.a + (<usize>(row * p.rowStride) << 2);
  const step = <usize>p.innerStride << 2;
  for (let k = 0; k < p.inner; k++) {
    store<f32>(target + (<usize>k << 2), load<f32>(source));
    source += step;
  }
}

function storeRow(p: MatMul, row: i32, column: i32, tile: usize): void {
  const y = p.y + (<usize>(row * p.columns + column) << 2);
  for (let j = 0; j < min(16, p.columns - column); j++) store<f32>(y + (<usize>j << 2), flush(load<f32>(tile + (<usize>j << 2))));
}
