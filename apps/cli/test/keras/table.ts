/** The largest relative error of every fixture on every backend, in the order in which they came. */
const rows = new Map<string, Map<string, number>>();

export function record(fixture: string, column: string, error: number): number {
  const row = rows.get(fixture) ?? new Map<string, number>();
  rows.set(fixture, row.set(column, Math.max(error, row.get(column) ?? 0)));
  return error;
}

function cellOf(error: number | undefined): string {
  if (error === undefined) return '—';
  return error === 0 ? '0' : error.toExponential(1);
}

const lineOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** As a table in Markdown. */
export function tableOf(columns: readonly string[]): string {
  const body = [...rows].map(([fixture, row]) =>
    lineOf([fixture, ...columns.map((column) => cellOf(row.get(column)))]),
  );
  return [lineOf(['fixture', ...columns]), lineOf(['---', ...columns.map(() => '---')]), ...body].join('\n');
}
