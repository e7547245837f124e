import { OutOfMemoryError, type Graph } from '@skiplane/core';
import { batchOf, withBatch } from './batch.ts';
import { bytesWith, halvesWith, type Precision } from './half-values.ts';
import type { LowerOptions } from './lower/lowering.ts';
import { lowerGraph, piecesOf, type Piece } from './lower-graph.ts';
import { guardBytes, padded } from './padding.ts';

interface Device {
  readonly name: string;
  readonly limits: Readonly<Record<string, number>>;
}

interface Limits {
  readonly binding: number;
  readonly buffer: number;
}

const limitsOf = ({ limits }: Device): Limits => ({
  binding: limits['maxStorageBufferBindingSize'] ?? 2 ** 27,
  buffer: limits['maxBufferSize'] ?? 2 ** 28,
});

/** Kernels see a guard when they are watched; a tensor has one behind it at all times. */
function fits({ bytes, named }: Piece, guarded: boolean, { binding, buffer }: Limits): boolean {
  const bound = padded(bytes) + (guarded ? guardBytes : 0);
  return bound <= binding && (named ? padded(bytes) + guardBytes : bound) <= buffer;
}

/**
 * Checks that every value and every workspace of a graph fits into a buffer.
 * @param pieces  of the graph, as lowered
 * @throws {OutOfMemoryError} listing those that do not, with the largest batch that would
 */
export function checkGraphSizes(
  device: Device,
  graph: Graph,
  pieces: readonly Piece[],
  {
    guard,
    lowerOptions,
    precision,
  }: { readonly guard: boolean; readonly lowerOptions: LowerOptions; readonly precision: Precision },
): void {
  const limits = limitsOf(device);
  const tooLarge = pieces.filter((piece) => !fits(piece, guard, limits));
  if (tooLarge.length === 0) return;
  const batch = batchOf(graph);
  const largestBatch = largest(batch, (smaller) => {
    const changed = withBatch(graph, batch, smaller);
    const bytesOf = bytesWith(halvesWith(precision, changed));
    return piecesOf(changed, lowerGraph(changed, lowerOptions), bytesOf).every((piece) => fits(piece, guard, limits));
  });
  const advice =
    largestBatch > 0
      ? `The largest batch that fits is ${largestBatch}, of ${batch}.`
      : 'A smaller batch does not help: use a device with larger buffers.';
  throw tooLargeError(device, `compile '${graph.name}'`, tooLarge, advice, { batch, largestBatch });
}

/** @throws {OutOfMemoryError} when a tensor does not fit into a buffer */
export function checkTensorSize(device: Device, what: string, bytes: number, firstAxis: number): void {
  const limits = limitsOf(device);
  const withFirstAxis = (rows: number): Piece => ({ what, bytes: (bytes / firstAxis) * rows, named: true });
  if (fits(withFirstAxis(firstAxis), false, limits)) return;
  const rows = largest(firstAxis, (fewer) => fits(withFirstAxis(fewer), false, limits));
  const advice = rows > 0 ? `Its first axis can be ${rows} at most.` : 'Use a device with larger buffers.';
  throw tooLargeError(device, 'tensor', [withFirstAxis(firstAxis)], advice, { largestBatch: rows });
}

/** The largest whole number below `end` that is accepted, if what is accepted ends somewhere; 0 when none is. */
function largest(end: number, accepts: (candidate: number) => boolean): number {
  let [good, bad] = [0, end];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (accepts(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

function tooLargeError(
  device: Device,
  action: string,
  pieces: readonly Piece[],
  advice: string,
  details: Readonly<Record<string, number>>,
): OutOfMemoryError {
  const { binding, buffer } = limitsOf(device);
  const limit = Math.min(binding, buffer);
  const shown = pieces.slice(0, 3).map(({ what, bytes }) => `${what} (${bytes.toLocaleString('en')} bytes)`);
  const more = pieces.length > 3 ? ` and ${pieces.length - 3} more` : '';
  return new OutOfMemoryError(
    `${action}: ${shown.join(', ')}${more} ${pieces.length === 1 ? 'exceeds' : 'exceed'} ` +
      `the ${limit.toLocaleString('en')} bytes of one buffer on '${device.name}'. ${advice}`,
    { limit, pieces, ...details },
  );
}
