/** Milliseconds between two answers: a page need not draw more often than 20 times a second. */
const interval = 50;

/** Events whose newest makes those before it needless. */
const replaceable: ReadonlySet<string> = new Set(['progress', 'validation']);

/**
 * Events on their way to the page. What is put in waits until it is taken, all at once and at most 20 times a second; of
 * progress, only the newest waits, so that a slow page neither holds the run up nor falls behind.
 */
export class EventQueue<E extends { readonly type: string }> {
  #waiting: E[] = [];
  #closed = false;
  #wake = (): void => undefined;
  #taken = -Infinity;

  put(event: E): void {
    if (replaceable.has(event.type) && this.#waiting.at(-1)?.type === event.type) this.#waiting.pop();
    this.#waiting.push(event);
    this.#wake();
  }

  /** No more events come. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** All events that wait, at least one; none when the queue is closed and empty. */
  async take(): Promise<readonly E[]> {
    const rest = this.#taken + interval - performance.now();
    if (rest > 0 && !this.#closed) await new Promise((resolve) => setTimeout(resolve, rest));
    while (this.#waiting.length === 0 && !this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#taken = performance.now();
    const events = this.#waiting;
    this.#waiting = [];
    return events;
  }
}
