import type { BatchBuffers } from './data/batch-preparer.ts';

/** The two halves of one batch's work. */
export interface BatchWork {
  /** Fills host memory. */
  prepare(index: number, buffers: BatchBuffers): void;
  /** Copies it to the device and starts the run. */
  start(index: number, buffers: BatchBuffers): Promise<void>;
}

/**
 * Runs the batches `first` to `end − 1` in order, and prepares each on the host while the device works on the one before it.
 * Yields the number of batches done after each of them; nothing runs while the consumer holds the generator.
 * @param buffersFor  host memory for a batch; two sets of it, by turns
 */
export async function* pipelined(
  first: number,
  end: number,
  buffersFor: (index: number, turn: 0 | 1) => BatchBuffers,
  work: BatchWork,
): AsyncGenerator<number, void, void> {
  const buffersOf = (index: number): BatchBuffers => buffersFor(index, (index % 2) as 0 | 1);
  if (first < end) work.prepare(first, buffersOf(first));
  for (let index = first; index < end; index++) {
    const running = work.start(index, buffersOf(index));
    if (index + 1 < end) work.prepare(index + 1, buffersOf(index + 1));
    await running;
    yield index + 1;
  }
}
