/** Runs actions one after another in the order they were added; an error surfaces at the next `settled`. */
export class Queue {
  #tail: Promise<void> = Promise.resolve();
  #pending = 0;
  #error: unknown;

  get idle(): boolean {
    return this.#pending === 0;
  }

  /** Does the action at once when nothing is under way, else after what is. */
  add(action: () => void): void {
    if (this.idle) action();
    else void this.enqueue(() => Promise.resolve(action())).catch((error: unknown) => (this.#error ??= error));
  }

  /** Starts an asynchronous action when all before it have ended; resolves or rejects with it. */
  enqueue<T>(action: () => Promise<T>): Promise<T> {
    this.#pending++;
    const result = this.#tail.then(action);
    this.#tail = result.then(
      () => void this.#pending--,
      () => void this.#pending--,
    );
    return result;
  }

  /** Waits until all that was added has ended. @throws the first error of an added action, once */
  async settled(): Promise<void> {
    await this.#tail;
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
  }
}
