/** Mean, and sample standard deviation (n − 1), which a single value does not have. */
export interface Distribution {
  readonly mean: number;
  readonly deviation: number | null;
}

/** @param values  one or more */
export function distribution(values: readonly number[]): Distribution {
  // From the first value on, so that equal values have exactly no deviation.
  const [first = Number.NaN] = values;
  const mean = first + values.reduce((sum, value) => sum + (value - first), 0) / values.length;
  if (values.length < 2) return { mean, deviation: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}
