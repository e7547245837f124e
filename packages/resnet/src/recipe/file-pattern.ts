import { metricNames } from './callbacks.ts';

/** A path with placeholders, in the part of Python's format language that file names need. */

const placeholder = /\{(\w+)(?::([^{}]*))?\}/g;
const spec = /^(?:(0?)(\d+)?d|(?:\.(\d+))?([fe]))?$/;

/** Files of a run folder that are its own. */
const reserved = new Set(['last.safetensors', 'best.safetensors', 'history.csv', 'events.jsonl', 'options.json']);

/** What is wrong with a path for a callback's file, as the end of "must be …"; undefined when nothing is. */
export function pathProblem(path: string, extension: string): string | undefined {
  const parts = path.split('/');
  if (
    path.includes('\\') ||
    parts.some((part) => part === '' || part === '.' || part === '..') ||
    /^[a-z]:/i.test(path)
  )
    return "a path inside the run's folder, with / between folders";
  if (!path.endsWith(extension)) return `a path that ends in ${extension}`;
  if (reserved.has(path)) return 'another name, since the run folder has a file of that name';
  return undefined;
}

/** The same for a path with placeholders. */
export function patternProblem(pattern: string, extension: string): string | undefined {
  const known: readonly string[] = ['epoch', 'model', ...metricNames];
  for (const [whole, name = '', format = ''] of pattern.matchAll(placeholder)) {
    if (!known.includes(name)) return `a path whose placeholders are of ${known.join(', ')}, which ${whole} is not`;
    if (!spec.test(format))
      return `a path whose placeholders are like {epoch:03d} or {val_loss:.2f}, which ${whole} is not`;
  }
  const plain = pattern.replace(placeholder, 'x');
  if (/[{}]/.test(plain)) return 'a path with balanced { and }';
  return pathProblem(plain, extension);
}

/** Fills the placeholders in. */
export function formatPattern(pattern: string, values: Readonly<Record<string, string | number>>): string {
  return pattern.replace(placeholder, (_, name: string, format = '') =>
    formatValue(values[name] ?? 'NA', String(format)),
  );
}

function formatValue(value: string | number, format: string): string {
  const [, zero = '', width = '', digits = '6', kind] = spec.exec(format) ?? [];
  if (typeof value === 'string' || format === '') return String(value);
  if (kind === 'f') return value.toFixed(Number(digits));
  // Python writes at least two digits of an exponent.
  if (kind === 'e') return value.toExponential(Number(digits)).replace(/e([+-])(\d)$/, 'e$10$2');
  return String(Math.trunc(value)).padStart(Number(width), zero === '0' ? '0' : ' ');
}
