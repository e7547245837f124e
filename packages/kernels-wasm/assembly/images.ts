import { GatherImages } from './generated/records';
import { flush } from './simd';

/**
 * A batch out of a data set of bytes: normalized, shifted, flipped. Task: one image.
 *
 * Everything after the subtraction is in f64 and rounded once, in the order of operations of the host's path, rows before
 * columns, so that both give the same bits. Scratch: the normalized image, one row in f64, and where each column comes from.
 */

/** A column of the result: its two source columns as byte offsets into a row of f64, and the weight of the right one. */
@unmanaged class Column {
  left: usize;
  right: usize;
  weight: f64;
}

export function gatherImages(p: GatherImages, task: i32, scratch: usize): void {
  const size = p.height * p.width * p.channels;
  const index = max(0, min(load<i32>(p.indices + (<usize>task << 2)), p.count - 1));
  const image = p.images + <usize>index * <usize>size;
  const x = p.x + ((<usize>task * <usize>size) << 2);
  if (!p.transforms) {
    normalize(image, p.values, p.mean, x, size);
    return;
  }
  normalize(image, p.values, p.mean, scratch, size);
  const transform = p.transforms + <usize>(task * 28);
  const row = scratch + p.rowOffset, columns = scratch + p.columnOffset;
  const dy = sum3(transform), dx = sum3(transform + 12), flip = load<f32>(transform, 24) != 0;
  placeColumns(columns, p.width, p.channels, dx, flip, p.order);
  const pitch = (<usize>(p.width * p.channels)) << 2;
  for (let r = 0; r < p.height; r++) {
    const y = clamp(<f64>r + dy, p.height - 1);
    const top = p.order ? floor(y) : floor(y + 0.5);
    const first = <i32>top, second = min(first + 1, p.height - 1);
    blendRows(scratch + <usize>first * pitch, scratch + <usize>second * pitch, p.order ? y - top : 0, row, p.width * p.channels);
    blendColumns(row, columns, p.width, p.channels, x + <usize>r * pitch);
  }
}

function normalize(image: usize, values: usize, mean: usize, out: usize, size: i32): void {
  for (let i: usize = 0; i < <usize>size; i++) {
    const value = load<f32>(values + (<usize>load<u8>(image + i) << 2));
    store<f32>(out + (i << 2), flush(value - load<f32>(mean + (i << 2))));
  }
}

@inline function sum3(at: usize): f64 {
  return <f64>load<f32>(at) + <f64>load<f32>(at, 4) + <f64>load<f32>(at, 8);
}

/** The coordinate within 0 to `last`; NaN is 0, so that nothing outside is read. */
@inline function clamp(coordinate: f64, last: i32): f64 {
  return coordinate > 0 ? min(coordinate, <f64>last) : 0;
}

function placeColumns(columns: usize, width: i32, channels: i32, dx: f64, flip: bool, order: i32): void {
  for (let c = 0; c < width; c++) {
    const x = clamp(<f64>(flip ? width - 1 - c : c) + dx, width - 1);
    const left = order ? floor(x) : floor(x + 0.5);
    const column = changetype<Column>(columns + <usize>c * offsetof<Column>());
    column.left = <usize>(<i32>left * channels) << 3;
    column.right = <usize>(min(<i32>left + 1, width - 1) * channels) << 3;
    column.weight = order ? x - left : 0;
  }
}

/** out = top·(1 − weight) + bottom·weight, two at a time: the scratch has room for one more. */
function blendRows(top: usize, bottom: usize, weight: f64, out: usize, count: i32): void {
  const w = f64x2.splat(weight), rest = f64x2.splat(1 - weight);
  for (let i: usize = 0; i < <usize>count; i += 2) {
    const a = f64x2.promote_low_f32x4(v128.load64_zero(top + (i << 2)));
    const b = f64x2.promote_low_f32x4(v128.load64_zero(bottom + (i << 2)));
    v128.store(out + (i << 3), f64x2.add(f64x2.mul(a, rest), f64x2.mul(b, w)));
  }
}

function blendColumns(row: usize, columns: usize, width: i32, channels: i32, out: usize): void {
  const end = columns + <usize>width * offsetof<Column>();
  for (let at = columns; at < end; at += offsetof<Column>()) {
    const column = changetype<Column>(at);
    const left = row + column.left, right = row + column.right, weight = column.weight, rest = 1 - weight;
    for (let k: usize = 0; k < <usize>channels; k++) {
      store<f32>(out, flush(<f32>(load<f64>(left + (k << 3)) * rest + load<f64>(right + (k << 3)) * weight)));
      out += 4;
    }
  }
}
