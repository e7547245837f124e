import type { ConvShape } from './conv-shape.ts';

/** One phase of a strided backward pass: a stride-1 convolution of dy that gives every stride-th row and column of dx. */
export interface BackwardPhase {
  readonly shape: ConvShape;
  /** Which taps of the filter it uses, in the order of filter-pack. */
  readonly taps: {
    readonly rowStart: number;
    readonly rowStep: number;
    readonly columnStart: number;
    readonly columnStep: number;
  };
  /** Where its results go in dx. */
  readonly store: { readonly storeStride: number; readonly storeTop: number; readonly storeLeft: number };
}

interface Axis {
  readonly first: number;
  readonly count: number;
  readonly taps: number;
  readonly start: number;
  readonly step: number;
  readonly pad: number;
}

/**
 * Splits conv2dBackpropInput by the position of dx modulo the stride; at stride 1 there is one phase. Row h of dx meets the
 * taps r ≡ h + padTop (mod stride), at row (h + padTop − r)/stride of dy: per phase a convolution with every stride-th tap,
 * reversed. A phase without taps gives zeros (plus the epilogue).
 *
 * @param flipped  shape of the pass at stride 1: dy in, dx out
 * @param forward  padding of the forward convolution and size of dx
 */
export function backwardPhases(
  flipped: ConvShape,
  forward: { padTop: number; padLeft: number; height: number; width: number },
): readonly BackwardPhase[] {
  // Rows and columns interleave with one store stride: unequal strides use their common multiple.
  const stride = leastCommonMultiple(flipped.strideHeight, flipped.strideWidth);
  const rows = phasesOf(forward.height, flipped.filterHeight, flipped.strideHeight, forward.padTop, stride);
  const columns = phasesOf(forward.width, flipped.filterWidth, flipped.strideWidth, forward.padLeft, stride);
  return rows.flatMap((row) => columns.map((column) => phase(flipped, row, column, stride)));
}

function phase(flipped: ConvShape, row: Axis, column: Axis, stride: number): BackwardPhase {
  const empty = row.taps === 0 || column.taps === 0;
  return {
    shape: {
      batch: flipped.batch,
      height: flipped.height,
      width: flipped.width,
      inChannels: flipped.inChannels,
      filterHeight: empty ? 0 : row.taps,
      filterWidth: empty ? 0 : column.taps,
      strideHeight: stride / flipped.strideHeight,
      strideWidth: stride / flipped.strideWidth,
      padTop: row.pad,
      padLeft: column.pad,
      outHeight: row.count,
      outWidth: column.count,
      outChannels: flipped.outChannels,
    },
    taps: { rowStart: row.start, rowStep: row.step, columnStart: column.start, columnStep: column.step },
    store: { storeStride: stride, storeTop: row.first, storeLeft: column.first },
  };
}

/** Positions first, first + storeStride, … of one axis, and the taps that reach them. */
function phasesOf(size: number, filter: number, stride: number, pad: number, storeStride: number): readonly Axis[] {
  const phases: Axis[] = [];
  for (let first = 0; first < Math.min(storeStride, size); first++) {
    const firstTap = (first + pad) % stride;
    const taps = firstTap < filter ? Math.floor((filter - 1 - firstTap) / stride) + 1 : 0;
    phases.push({
      first,
      count: Math.ceil((size - first) / storeStride),
      taps,
      start: firstTap + stride * (taps - 1),
      step: -stride,
      pad: taps - 1 - (first + pad - firstTap) / stride,
    });
  }
  return phases;
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
