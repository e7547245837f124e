import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeFileAtomic } from '@skiplane/resnet/node';
import { CommandError, UsageError } from '../errors.ts';
import type { TrainFlags } from './settings.ts';

/** The options about data, kept beside a run's checkpoints so that resuming it need not repeat them. */
export interface DataOptions {
  readonly data?: string | undefined;
  readonly limitTrain?: number | undefined;
  readonly limitTest?: number | undefined;
}

const fileName = 'options.json';

/** Keeps the options of a new run; a path is made absolute, since a run may be resumed from another folder. */
export async function saveDataOptions(folder: string, { data, limitTrain, limitTest }: DataOptions): Promise<void> {
  const source = data ?? (process.env['SKIPLANE_DATA'] || undefined);
  const kept = {
    data: source === undefined || source === 'synthetic' ? source : resolve(source),
    limitTrain,
    limitTest,
  };
  await writeFileAtomic(join(folder, fileName), `${JSON.stringify(kept, null, 2)}\n`);
}

/**
 * The options of a run that goes on: those given, else those kept.
 * @throws {UsageError} when a limit is given that the run does not have
 */
export async function resumedDataOptions(folder: string, flags: TrainFlags): Promise<DataOptions> {
  const path = join(folder, fileName);
  if (!existsSync(path)) return flags;
  const kept = parse(path, await readFile(path, 'utf8'));
  const problems = (['limitTrain', 'limitTest'] as const)
    .filter((key) => flags[key] !== undefined && kept[key] !== flags[key])
    .map(
      (key) =>
        `${key === 'limitTrain' ? '--limit-train' : '--limit-test'} is ${flags[key]}, but the run has ${kept[key] ?? 'none'}`,
    );
  if (problems.length > 0) {
    throw new UsageError(
      `cannot resume '${folder}': ${problems.join('; ')}. Leave it out, or begin a new run with another --out.`,
    );
  }
  const keptData =
    kept.data === 'synthetic' || (kept.data !== undefined && existsSync(kept.data)) ? kept.data : undefined;
  return { ...kept, data: flags.data ?? keptData };
}

function parse(path: string, text: string): DataOptions {
  const options = asRecord(path, text);
  const read = <T>(key: string, isRight: (value: unknown) => value is T): T | undefined => {
    const value = options[key];
    if (value === undefined || isRight(value)) return value;
    throw new CommandError(
      `'${path}' has a wrong '${key}': ${JSON.stringify(value)}. Delete the file and give the option again.`,
    );
  };
  return { data: read('data', isText), limitTrain: read('limitTrain', isCount), limitTest: read('limitTest', isCount) };
}

function asRecord(path: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new CommandError(`'${path}' is no JSON object. Delete it and give --data and the limits again.`);
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;
