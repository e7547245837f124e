import { ConformanceError } from './compare.ts';

interface Row {
  cases: number;
  /** Undefined until a case was compared. */
  worst: number | undefined;
}

/** What a suite has run: per op or composed graph, the number of cases and the largest error in units of its bound. */
export class Tally {
  readonly #rows = new Map<string, Row>();
  readonly #skipped: { readonly id: string; readonly reason: string }[] = [];
  #cases = 0;

  count(family: string): void {
    this.#cases++;
    this.#row(family).cases++;
  }

  ratio(family: string, ratio: number): void {
    const row = this.#row(family);
    row.worst = Math.max(row.worst ?? 0, ratio);
  }

  skip(id: string, reason: string): void {
    this.#skipped.push({ id, reason });
  }

  /**
   * The table op · cases · max error/bound, the skipped cases with their reasons, and the number of cases.
   * @throws {ConformanceError} when nothing was run
   */
  report(name: string): string {
    if (this.#cases === 0) throw new ConformanceError(`${name}: no conformance case was run.`);
    const rows = [...this.#rows].map(([family, { cases, worst }]) => [family, String(cases), formatRatio(worst)]);
    const skipped = this.#skipped.map(({ id, reason }) => `skipped ${id}: ${reason}`);
    return [
      ...formatTable([['op', 'cases', 'max error/bound'], ...rows]),
      ...skipped,
      `${name}: ${this.#cases} cases`,
    ].join('\n');
  }

  #row(family: string): Row {
    let row = this.#rows.get(family);
    if (row === undefined) this.#rows.set(family, (row = { cases: 0, worst: undefined }));
    return row;
  }
}

function formatRatio(worst: number | undefined): string {
  if (worst === undefined) return '-';
  return worst === 0 ? 'exact' : worst.toFixed(3);
}

function formatTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}
