import type { BackendName } from '../../backend-names.ts';
import { openBackend, type BackendSettings } from '../../backends.ts';
import { exitCodes, UsageError } from '../../errors.ts';
import { findModel } from '../../model.ts';
import { printJson, printLine } from '../../output.ts';
import { createProgress, noProgress } from '../../render/progress.ts';
import { openWeights } from '../../weights.ts';
import { compareOps, type Side } from './compare-ops.ts';
import { compareOutputs } from './end-to-end.ts';
import { diffJson } from './json.ts';
import type { Both } from './judge.ts';
import { checkpointPrograms, newPrograms, type DiffProgram, type Draw } from './programs.ts';
import { renderDiff } from './render.ts';
import { summarize, type ProgramDiff } from './summarize.ts';

type BackendChoice = Exclude<BackendName, 'auto'>;

export interface DiffFlags extends BackendSettings {
  /** The two backends. */
  readonly diff: readonly BackendChoice[];
  readonly model?: string | undefined;
  readonly weights?: string | undefined;
  /** Images in a step (default 4). */
  readonly batch?: number | undefined;
  /** Of images and parameters (default 1). */
  readonly seed?: number | undefined;
  readonly json?: true | undefined;
}

/** `skiplane doctor --diff`. Returns the exit code: 1 when an op of either backend leaves its bound. */
export async function doctorDiff(flags: DiffFlags): Promise<number> {
  const names = twoBackends(flags);
  const { batch = 4, seed = 1, json = false } = flags;
  const { model, programs } = await choosePrograms(flags, { batch, seed });
  using first = await openBackend({ backend: names[0], ...settingsOf(names[0], flags) });
  using second = await openBackend({ backend: names[1], ...settingsOf(names[1], flags) });
  const sides = [
    { name: names[0], backend: first },
    { name: names[1], backend: second },
  ] as const;
  return await reportDiff(sides, programs, { model, batch, seed, json });
}

export interface DiffSettings {
  readonly model: string;
  readonly batch: number;
  readonly seed: number;
  readonly json: boolean;
}

/** Compares and prints; returns the exit code. */
export async function reportDiff(
  sides: Both<Side>,
  programs: readonly DiffProgram[],
  { model, batch, seed, json }: DiffSettings,
): Promise<number> {
  const diffs: ProgramDiff[] = [];
  for (const program of programs) {
    const diff = await compareProgram(sides, program, json);
    if (!json) {
      printLine(`${diffs.length > 0 ? '\n' : ''}${model}, ${program.name}, batch ${batch}, seed ${seed}`);
      printLine(`\n${renderDiff(diff, [sides[0].name, sides[1].name])}`);
    }
    diffs.push(diff);
  }
  const ok = diffs.every(({ outside }) => outside.length === 0);
  if (json) printJson(diffJson({ ok, model, batch, seed, sides, diffs }));
  return ok ? exitCodes.ok : exitCodes.failure;
}

function twoBackends({ diff, gpu, threads }: DiffFlags): Both<BackendChoice> {
  const [first, second, ...more] = diff;
  if (first === undefined || second === undefined || more.length > 0 || first === second) {
    throw new UsageError(
      `option '--diff' takes two different ones of wasm, gpu and reference, but got ${diff.join(' ')}.`,
    );
  }
  const reject = (option: string, name: BackendChoice): never => {
    const rule = `option '${option}' is for ${name}, but '--diff' compares ${first} and ${second}`;
    throw new UsageError(`${rule}: leave it out.`);
  };
  if (gpu !== undefined && !diff.includes('gpu')) reject('--gpu', 'gpu');
  if (threads !== undefined && !diff.includes('wasm')) reject('--threads', 'wasm');
  return [first, second];
}

function settingsOf(name: BackendChoice, { threads, gpu }: BackendSettings): BackendSettings {
  return { ...(name === 'wasm' && { threads }), ...(name === 'gpu' && { gpu }) };
}

async function choosePrograms(
  flags: DiffFlags,
  draw: Draw,
): Promise<{ model: string; programs: readonly DiffProgram[] }> {
  const { weights, model = 'resnet20v1' } = flags;
  if (weights === undefined) {
    const config = findModel(model);
    return { model: config.name, programs: newPrograms(config, draw) };
  }
  if (flags.model !== undefined) {
    throw new UsageError(
      "option '--model' is of no use with '--weights', whose file says what model it is: leave it out.",
    );
  }
  const checkpoint = await openWeights({ weights });
  return { model: checkpoint.model.name, programs: checkpointPrograms(checkpoint, draw) };
}

async function compareProgram(sides: Both<Side>, program: DiffProgram, quiet: boolean): Promise<ProgramDiff> {
  const progress = quiet ? noProgress : await createProgress();
  try {
    progress.update(0, `${program.name}: running all of it`);
    // First the whole program, whose kernels a device compiles side by side; the single ops find them compiled.
    const outputs = await compareOutputs(sides, program);
    const outcomes = await compareOps(sides, program, (done, total, { kind, label }) =>
      progress.update(done / total, `${program.name}: op ${done + 1} of ${total}, ${kind} ${label}`),
    );
    return summarize(program.name, outcomes, outputs);
  } finally {
    progress.done();
  }
}
