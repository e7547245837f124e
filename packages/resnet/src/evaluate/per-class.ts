/** How well one class is recognized. */
export interface ClassResult {
  readonly className: string;
  /** Images of the class. */
  readonly count: number;
  readonly correct: number;
  /** Of the images of the class, the share that is recognized as such; NaN when there are none. */
  readonly accuracy: number;
  /** Of the images that are taken for the class, the share that is of it; NaN when there are none. */
  readonly precision: number;
  /** The class that its images are most often mistaken for; null when they never are. */
  readonly mistakenFor: string | null;
}

/** A row a class. @param confusion  [label][prediction], in images */
export function classResults(
  confusion: readonly (readonly number[])[],
  classNames: readonly string[],
): readonly ClassResult[] {
  return confusion.map((row, label) => {
    const correct = row[label] ?? 0;
    const count = sum(row);
    const taken = sum(confusion.map((other) => other[label] ?? 0));
    const wrong = row.map((value, prediction) => (prediction === label ? 0 : value));
    const most = Math.max(...wrong);
    return {
      className: classNames[label] ?? String(label),
      count,
      correct,
      accuracy: correct / count,
      precision: correct / taken,
      mistakenFor: most > 0 ? (classNames[wrong.indexOf(most)] ?? null) : null,
    };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
