import { exitCodes } from '../errors.ts';
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
  if (isSeries(flags)) return await trainSeeds(flags);
  const run = await planRun(flags);
  const { exitCode } = await trainRun(run, flags, { resumeCommand: resumeCommand(run.folder, flags) });
  return exitCode;
}
