/** Seconds as `0:07`, `12:34` or `1:02:03`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const total = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60)];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** A whole number with thousands separated, such as `274,442`. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** A rate or a small number with about three significant digits and no exponent where it is readable. */
export function formatRate(value: number): string {
  if (!Number.isFinite(value)) return '?';
  return value >= 100 ? formatCount(value) : value.toPrecision(3);
}

export function formatPercent(fraction: number): string {
  return `${(fraction * 100).toFixed(2)} %`;
}
