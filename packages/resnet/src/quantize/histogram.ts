/** Bins of a histogram; its range doubles when a value lies beyond it. */
const bins = 2048;

/** The largest whole number of eight bits. */
export const largestByte = 127;

/** Counts magnitudes, from 0 up, in bins of equal width. */
export class Histogram {
  readonly #counts = new Float64Array(bins);
  #range = 2 ** -20;
  #largest = 0;

  get largest(): number {
    return this.#largest;
  }

  add(values: Float32Array): void {
    for (const value of values) this.#largest = Math.max(this.#largest, Math.abs(value));
    while (this.#range <= this.#largest) this.#double();
    const perUnit = bins / this.#range;
    for (const value of values) {
      const bin = Math.floor(Math.abs(value) * perUnit);
      this.#counts[bin] = (this.#counts[bin] as number) + 1;
    }
  }

  /**
   * The magnitude at which to clip so that rounding to `largestByte` steps and clipping together make the least squared error. Zeros,
   * which are exact at any scale, count for nothing.
   */
  leastSquaresClip(): number {
    let [best, least] = [this.#largest, Number.POSITIVE_INFINITY];
    for (let percent = 20; percent <= 100; percent++) {
      const clip = (this.#largest * percent) / 100;
      const error = this.#squaredError(clip);
      if (error < least) [best, least] = [clip, error];
    }
    return best;
  }

  #squaredError(clip: number): number {
    const width = this.#range / bins;
    const step = clip / largestByte;
    let error = 0;
    this.#counts.forEach((count, bin) => {
      const middle = (bin + 0.5) * width;
      // Within a step an error is as likely as any other: its square is step²/12 on average.
      error += count * (middle > clip ? (middle - clip) ** 2 : bin === 0 ? 0 : step ** 2 / 12);
    });
    return error;
  }

  #double(): void {
    for (let bin = 0; bin < bins; bin++) {
      const low = 2 * bin;
      this.#counts[bin] = low < bins ? (this.#counts[low] as number) + (this.#counts[low + 1] as number) : 0;
    }
    this.#range *= 2;
  }
}
