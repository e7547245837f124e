import { InvalidArgumentError } from '@commander-js/extra-typings';

/** Parsers of option values. Commander names the option and the value; the error here adds the rule. */

/** A whole number in [min, max]. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const rule =
    max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min} up` : `a whole number from ${min} to ${max}`;
  return (text) => {
    const value = parseNumber(text);
    if (!Number.isSafeInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`It must be ${rule}.`);
    return value;
  };
}

/** An option that may be given again and again. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Seconds, 0 or more. */
export function seconds(text: string): number {
  const value = parseNumber(text);
  if (!Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('It must be a number of seconds, 0 or more.');
  return value;
}

/** A time such as `2h`, `90m`, `300s` or `1h30m`, in seconds. */
export function duration(text: string): number {
  const parts = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text.trim());
  const [hours = 0, minutes = 0, rest = 0] = (parts ?? []).slice(1).map((part) => Number(part ?? 0));
  const total = hours * 3600 + minutes * 60 + rest;
  if (!(total > 0)) throw new InvalidArgumentError('It must be a time such as 2h, 90m, 300s or 1h30m.');
  return total;
}

/** Memory such as `3GB`, `1.5 GiB` or `800MB`, in bytes. */
export function memory(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg]i?b)$/i.exec(text.trim()) ?? [];
  const factors: Readonly<Record<string, number>> = {
    kb: 1e3,
    mb: 1e6,
    gb: 1e9,
    kib: 2 ** 10,
    mib: 2 ** 20,
    gib: 2 ** 30,
  };
  const bytes = Math.floor(Number(number) * (factors[unit.toLowerCase()] ?? 0));
  if (!(bytes > 0)) throw new InvalidArgumentError('It must be memory such as 3GB, 1.5GiB or 800MB.');
  return bytes;
}

/** Comma-separated names. */
export function names(text: string): readonly string[] {
  const list = text.split(',').map((name) => name.trim());
  if (list.includes('')) throw new InvalidArgumentError('It must be a list of names with commas between them.');
  return list;
}

/** A fixed learning rate, or `keras` for the schedule of the Keras example. */
export function learningRate(text: string): number | 'keras' {
  if (text === 'keras') return text;
  const value = parseNumber(text);
  if (!Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError("It must be a number greater than 0, or 'keras' for the example's schedule.");
  }
  return value;
}

/** Comma-separated whole numbers in [min, max]. */
export function wholeNumbers(min: number, max: number): (text: string) => number[] {
  const parse = wholeNumber(min, max);
  return (text) => text.split(',').map((part) => parse(part.trim()));
}

/** Comma-separated whole numbers from `min` up, none of them twice. */
export function distinct(min: number): (text: string) => readonly number[] {
  const parse = wholeNumbers(min, Number.MAX_SAFE_INTEGER);
  return (text) => {
    const values = parse(text);
    if (new Set(values).size < values.length) throw new InvalidArgumentError('Each may be there only once.');
    return values;
  };
}

/** A SHA-256 sum in lower-case hexadecimal digits. */
export function sha256Sum(text: string): string {
  const sum = text.trim().toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(sum)) throw new InvalidArgumentError('It must be 64 hexadecimal digits.');
  return sum;
}

/** An address to download from. */
export function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new InvalidArgumentError('It must be an address that begins with https:// or http://.');
  }
  return url.href;
}

/** Decimal notation only: no hexadecimal, no blank, no trailing letters. */
function parseNumber(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}
