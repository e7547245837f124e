import type { ClassResult } from '@skiplane/resnet';
import { formatCount, formatPercent } from './format.ts';
import { renderTable } from './table.ts';

/** A row a class: how many of its images are recognized, and how often the class is named rightly. */
export function renderClasses(results: readonly ClassResult[]): string {
  return renderTable({
    head: ['class', 'images', 'correct', 'accuracy', 'precision', 'mistaken for'],
    align: ['left', 'right', 'right', 'right', 'right', 'left'],
    rows: results.map(({ className, count, correct, accuracy, precision, mistakenFor }) => [
      className,
      formatCount(count),
      formatCount(correct),
      share(accuracy),
      share(precision),
      mistakenFor ?? '-',
    ]),
  });
}

function share(value: number): string {
  return Number.isNaN(value) ? '-' : formatPercent(value);
}
