import { OutOfMemoryError } from '@skiplane/core';

/** Something that must fit into one buffer. */
export interface Piece {
  readonly what: string;
  readonly bytes: number;
  /** Its first axis: what shrinks with the batch. */
  readonly batch: number;
}

interface Device {
  readonly name: string;
  readonly limits: Readonly<Record<string, number>>;
}

/** The largest buffer that a kernel of this device can take, bytes. */
function largestBuffer({ limits }: Device): number {
  return Math.min(limits['maxStorageBufferBindingSize'] ?? 2 ** 27, limits['maxBufferSize'] ?? 2 ** 28);
}

/**
 * Checks that all pieces fit into a buffer each.
 * @throws {OutOfMemoryError} listing those that do not, with the largest batch that would
 */
export function checkSizes(device: Device, action: string, pieces: readonly Piece[]): void {
  const limit = largestBuffer(device);
  const tooLarge = pieces.filter(({ bytes }) => bytes > limit);
  if (tooLarge.length === 0) return;
  const batch = Math.max(...tooLarge.map((piece) => piece.batch));
  const largestBatch = Math.min(
    ...tooLarge.filter((piece) => piece.batch === batch).map(({ bytes }) => Math.floor((batch * limit) / bytes)),
  );
  const shown = tooLarge.slice(0, 3).map(({ what, bytes }) => `${what} (${bytes.toLocaleString('en')} bytes)`);
  const more = tooLarge.length > 3 ? ` and ${tooLarge.length - 3} more` : '';
  const advice =
    largestBatch > 0
      ? `The largest batch that fits is ${largestBatch}, of ${batch}.`
      : 'No batch fits: use another device.';
  throw new OutOfMemoryError(
    `${action}: ${shown.join(', ')}${more} ${tooLarge.length === 1 ? 'exceeds' : 'exceed'} ` +
      `the ${limit.toLocaleString('en')} bytes of one buffer on '${device.name}'. ${advice}`,
    { limit, largestBatch, pieces: tooLarge },
  );
}

/** {@link checkSizes} of one piece. */
export function checkSize(device: Device, what: string, bytes: number, batch: number): void {
  checkSizes(device, 'tensor', [{ what, bytes, batch }]);
}
