/** The two halves of one batch's work. */
export interface BatchWork<B> {
  /** Fills host memory. */
  prepare(index: number, buffers: B): void;
  /** Copies it to the device and starts the run. */
  start(index: number, buffers: B): Promise<void>;
}

/**
 * Runs the batches `first` to `end − 1` in order, and prepares each on the host while the device works on the one before it.
 * Yields the number of batches done after each of them; nothing runs while the consumer holds the generator.
 * @param buffersFor  host memory for a batch; two sets of it, by turns
 */
export async function* pipelined<B>(
  first: number,
  end: number,
  buffersFor: (index: number, turn: 0 | 1) => B,
  work: BatchWork<B>,
): AsyncGenerator<number, void, void> {
  const buffersOf = (index: number): B => buffersFor(index, (index % 2) as 0 | 1);
  if (first < end) work.prepare(first, buffersOf(first));
  for (let index = first; index < end; index++) {
    const running = work.start(index, buffersOf(index));
    if (index + 1 < end) work.prepare(index + 1, buffersOf(index + 1));
    await running;
    yield index + 1;
  }
}
