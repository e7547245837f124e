import { renderTable } from './table.ts';

/**
 * A confusion matrix as a table: a row a true class, a column a prediction, and the share of each class that is right.
 * Columns carry the first letters of the class names, so that ten of them fit a terminal of 80 columns.
 */
export function renderConfusion(confusion: readonly (readonly number[])[], classNames: readonly string[]): string {
  const rows = confusion.map((row, label) => {
    const total = row.reduce((sum, value) => sum + value, 0);
    const right = total === 0 ? '-' : `${(((row[label] ?? 0) / total) * 100).toFixed(0)} %`;
    return [classNames[label] ?? String(label), ...row.map((value) => (value === 0 ? '.' : String(value))), right];
  });
  return renderTable({
    head: ['true class', ...classNames.map((name) => name.slice(0, 4)), 'right'],
    align: ['left', ...classNames.map(() => 'right' as const), 'right'],
    rows,
  });
}
