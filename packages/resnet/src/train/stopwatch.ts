/** Adds up the time between `start` and `stop`, in seconds. */
export class Stopwatch {
  #sum = 0;
  #since: number | undefined;

  start(): void {
    this.#since ??= performance.now();
  }

  stop(): void {
    this.#sum = this.seconds * 1000;
    this.#since = undefined;
  }

  get seconds(): number {
    const running = this.#since === undefined ? 0 : performance.now() - this.#since;
    return (this.#sum + running) / 1000;
  }
}

/** Tells when an interval has passed. */
export class Interval {
  readonly #seconds: number;
  #last = performance.now();

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** True when the interval has passed since the last `reset`. */
  get due(): boolean {
    return performance.now() - this.#last >= this.#seconds * 1000;
  }

  reset(): void {
    this.#last = performance.now();
  }
}
