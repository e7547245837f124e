import type { CSVLoggerSettings } from '../../recipe/callbacks.ts';

/** Metrics of an epoch, by Keras's names. */
export type EpochLogs = Readonly<Record<string, number>>;

/** The line ends of Python's csv module. */
const lineEnd = '\r\n';

/**
 * The lines of Keras's CSVLogger, the header first: the epoch from 0, then the metrics of the first epoch in the order of
 * the alphabet. A metric that an epoch lacks is NA; metrics that the first epoch lacked are left out.
 */
export function csvLines(epochs: readonly EpochLogs[], { separator }: Pick<CSVLoggerSettings, 'separator'>): string[] {
  const metrics = Object.keys(epochs[0] ?? {}).toSorted();
  // Without any metric of a validation, Keras expects one to come.
  const hasValidation = metrics.some((name) => name.startsWith('val_'));
  const columns = hasValidation ? metrics : [...metrics, ...metrics.map((name) => `val_${name}`)];
  const line = (fields: readonly string[]): string =>
    fields.map((field) => (field.includes(separator) ? `"${field}"` : field)).join(separator) + lineEnd;
  const rows = epochs.map((logs, epoch) =>
    line([
      String(epoch),
      ...columns.map((name) => (Object.hasOwn(logs, name) ? pythonNumber(logs[name] as number) : 'NA')),
    ]),
  );
  return [line(['epoch', ...columns]), ...rows];
}

/** As Python prints a float: 1.0, 1e-05 below 1e-4, 1e+16 from there on, nan and inf. */
function pythonNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
