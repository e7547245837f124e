import { exitCodes, UsageError } from '../errors.ts';
import { printLine } from '../output.ts';
import { isSeries, trainSeeds } from '../seeds/run.ts';
import { planRun, resumeCommand } from './plan-run.ts';
import { recipeOf } from './recipe.ts';
import type { TrainFlags } from './settings.ts';
import { trainRun } from './train-run.ts';

/** `skiplane train`. Returns the exit code. */
export async function train(flags: TrainFlags): Promise<number> {
  if (flags.printRecipe) {
    printLine(JSON.stringify(recipeOf(flags), null, 2));
    return exitCodes.ok;
  }
  checkWatch(flags);
  if (isSeries(flags)) return await trainSeeds(flags);
  const run = await planRun(flags);
  const watched = flags.watch ? await watch(run.folder, flags) : undefined;
  try {
    const { exitCode } = await trainRun(run, flags, { resumeCommand: resumeCommand(run.folder, flags) });
    return exitCode;
  } finally {
    await watched?.close();
  }
}

/** The web server is loaded for those who watch. */
async function watch(folder: string, { port, open = true }: TrainFlags) {
  const { showPlayground } = await import('../play/show.ts');
  return await showPlayground({ port, open, run: folder });
}

/** @throws {UsageError} for what a watched run cannot have, and options that only one has */
function checkWatch(flags: TrainFlags): void {
  if (flags.watch && isSeries(flags)) {
    throw new UsageError(
      "option '--watch' shows one run, not several: watch one of them by 'skiplane play --watch FOLDER'.",
    );
  }
  if (flags.watch !== true && flags.port !== undefined) throw new UsageError("option '--port' is for '--watch'.");
}
