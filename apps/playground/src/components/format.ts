/** 0.8312 → 83.1 % */
export const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

/** 0.83 → 83 %, on axes. */
export const wholePercent = (value: number): string => `${Math.round(100 * value)} %`;

/** Without trailing digits that nobody reads. */
export const plain = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));

/** Three digits, which a changing figure keeps: 1.70, 0.832. */
export const steady = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toPrecision(3);

export const count = (value: number): string => Math.round(value).toLocaleString('en-US');
