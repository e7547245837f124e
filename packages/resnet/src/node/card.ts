import { readFile } from 'node:fs/promises';
import { FormatError } from '@skiplane/core';
import * as v from 'valibot';
import { classNamesSchema, historyRecord, modelSchema, testResult } from '../checkpoint/schema.ts';
import { isJsonObject, ownValue } from '../recipe/json.ts';
import { recipeSchema } from '../recipe/schema.ts';
import { storageError } from './storage-error.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

/** `format` and `version` of a results card. */
export const cardFormat = 'skiplane-card';
export const cardVersion = 1;

const text = v.string();
const number = v.pipe(v.number(), v.finite());
const count = v.pipe(number, v.safeInteger(), v.minValue(0));
const sha256 = v.pipe(text, v.regex(/^[0-9a-f]{64}$/, 'a SHA-256 in 64 hexadecimal digits'));
const images = v.object({ name: text, count, sha256 });

const timing = v.object({ imagesPerSecond: number, seconds: number, time: number });

const cardSchema = v.object({
  format: v.literal(cardFormat),
  version: v.literal(cardVersion),
  model: modelSchema,
  recipe: recipeSchema,
  seed: count,
  /** Images in one run of the evaluation. */
  evaluationBatchSize: count,
  /** Where batches were put together. */
  imagesOn: v.optional(v.picklist(['host', 'device']), 'host'),
  /** Whether the loss was scaled, for activations held as f16. */
  lossScaling: v.optional(v.boolean(), false),
  /** Parts that a batch was trained in; left out for whole batches. */
  parts: v.optional(count),
  classNames: classNamesSchema,
  data: v.object({
    /** `synthetic`, or files that the user has. */
    source: v.picklist(['synthetic', 'files']),
    limitTrain: v.nullable(count),
    limitTest: v.nullable(count),
    /** As they were given: before the recipe puts some of them aside. */
    train: images,
    test: images,
  }),
  result: v.object({
    epochs: count,
    /** The epoch of the highest validation accuracy. */
    best: v.nullable(historyRecord),
    /** The epoch whose weights were put back at the end. */
    restoredEpoch: v.nullable(count),
    /** The test images, looked at once at the end. */
    test: v.nullable(testResult),
    /** Of all processes of the run. */
    seconds: number,
    finished: v.pipe(text, v.isoTimestamp()),
  }),
  /** What identifies the weights of `last.safetensors` and of `best.safetensors`. */
  weights: v.object({ last: sha256, best: v.nullable(sha256) }),
  curve: v.array(v.object({ ...historyRecord.entries, timing: v.nullable(timing) })),
  /** What the last process of the run ran on. */
  backend: v.object({
    name: text,
    device: text,
    threads: count,
    features: v.array(text),
    downgrades: v.array(v.object({ feature: text, reason: text })),
    /** All that processes of the run computed on. */
    devices: v.array(text),
  }),
  machine: v.object({ cpu: text, cores: count, memoryBytes: count, platform: text }),
  versions: v.object({
    node: text,
    v8: text,
    skiplane: text,
    /** SHA-256 of the program: of what computes, not of what prints. */
    build: sha256,
  }),
});

/** A run in one file: all that it takes to repeat it, and what came out. */
export type ResultsCard = DeepReadonly<v.InferOutput<typeof cardSchema>>;

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/** Writes a card, whole or not at all. @throws {StorageError} when it cannot be written */
export async function writeCard(path: string, card: ResultsCard): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(card, null, 2)}\n`);
}

/**
 * Reads a card.
 * @throws {StorageError} when it cannot be read
 * @throws {FormatError} when it is no card; all that is wrong with it in one error
 */
export async function readCard(path: string): Promise<ResultsCard> {
  const json = parseJson(path, await readText(path));
  if (!isJsonObject(json) || ownValue(json, 'format') !== cardFormat) {
    throw new FormatError(`'${path}' is no results card: it has no format '${cardFormat}'.`, { path });
  }
  const result = v.safeParse(cardSchema, json);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => describe(issue));
  throw new FormatError(
    `'${path}' is no usable results card: ${problems.join('; ')}. Take a card.json that this release has written.`,
    { path, problems },
  );
}

function describe(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? 'the file';
  return issue.type === 'object' && issue.received === 'undefined' ? `${path} is missing` : `${path}: ${issue.message}`;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw storageError('cannot read', path, error);
  }
}

function parseJson(path: string, json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch (error) {
    throw new FormatError(`'${path}' is no results card: it is no JSON text.`, { path }, error);
  }
}
