import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Small files of others, and what their own programs compute with them: see `tools/foreign-weights`. */
const folder = fileURLToPath(new URL('../../../../tools/foreign-weights/fixtures/', import.meta.url));

export const fixturePath = (name: string): string => `${folder}${name}`;

export const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(fixturePath(name)));

interface Expected {
  readonly images: readonly number[];
  readonly largeImages: readonly number[];
  /** Probabilities. */
  readonly small: readonly (readonly number[])[];
  /** Logits. */
  readonly short: readonly (readonly number[])[];
  /** Logits. */
  readonly timm: readonly (readonly number[])[];
}

export const expected = JSON.parse(readFileSync(fixturePath('expected.json'), 'utf8')) as Expected;
