import type { PublishedError } from '@skiplane/resnet';
import { formatPercent } from '../render/format.ts';
import type { Distribution } from '../seeds/statistics.ts';

/** A share over seeds, such as `12.34 ± 0.56 %`. */
export function percent(value: Distribution | null): string {
  if (value === null) return '-';
  const { mean, deviation } = value;
  return deviation === null ? formatPercent(mean) : `${(mean * 100).toFixed(2)} ± ${(deviation * 100).toFixed(2)} %`;
}

/** What a paper says of a net. */
export function publishedText(published: PublishedError | null): string {
  if (published === null) return '-';
  return published.error === null ? 'fails to converge' : `${published.error.toFixed(2)} %`;
}
