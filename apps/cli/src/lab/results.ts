import { existsSync } from 'node:fs';
import { labOf, netsOf, summarize, modelConfig, type LabNet } from '@skiplane/resnet';
import { runFiles } from '@skiplane/resnet/node';
import { readRun, type RunReport } from '../report/run-report.ts';
import { distribution, type Distribution } from '../seeds/statistics.ts';
import { runFolder, type LabPlan } from './lab-file.ts';
import { readMeasurements, type Measurements } from './measurements.ts';

/** One run of a net, with what the lab has measured of it. */
interface MeasuredRun {
  readonly run: RunReport;
  readonly measurements: Measurements;
}

/** A net and its runs that have come to a checkpoint. */
export interface NetRuns {
  readonly net: LabNet;
  readonly runs: readonly MeasuredRun[];
}

/** What `lab.json` says of a net: errors in shares of the images, over the runs that have ended. */
export interface NetResult extends LabNet {
  readonly parameters: number;
  readonly runs: readonly RunResult[];
  /** Null until a run has ended. */
  readonly trainError: Distribution | null;
  readonly testError: Distribution | null;
}

interface RunResult {
  readonly seed: number;
  readonly epochs: number;
  readonly seconds: number;
  /** Mean over the last epoch, while it was trained. */
  readonly runningTrainError: number | null;
  readonly runningTrainLoss: number | null;
  /** With the last weights, on the training images as they are. */
  readonly trainError: number | null;
  readonly testError: number | null;
}

/** The nets of a plan, in its order. */
function netsOfPlan({ lab, depth, nets }: LabPlan): readonly LabNet[] {
  const known = new Map(netsOf(labOf(lab, depth)).map((net) => [net.model, net]));
  return nets.map((model) => known.get(model) ?? { model, label: model, published: null });
}

export async function readRuns(folder: string, plan: LabPlan): Promise<readonly NetRuns[]> {
  return Promise.all(
    netsOfPlan(plan).map(async (net) => {
      const folders = plan.seeds
        .map((seed) => runFolder(folder, net.model, seed))
        .filter((path) => existsSync(runFiles(path).last));
      const runs = folders.map(async (path) => ({
        run: await readRun(path),
        measurements: await readMeasurements(path),
      }));
      return { net, runs: await Promise.all(runs) };
    }),
  );
}

export function resultOf({ net, runs }: NetRuns): NetResult {
  const results = runs.map(({ run: { seed, curve, seconds, end }, measurements: { trainError } }): RunResult => {
    const last = curve.at(-1);
    return {
      seed,
      epochs: curve.length,
      seconds,
      runningTrainError: last === undefined ? null : 1 - last.accuracy,
      runningTrainLoss: last?.loss ?? null,
      trainError,
      testError: end?.test == null ? null : 1 - end.test.accuracy,
    };
  });
  return {
    ...net,
    parameters: summarize(modelConfig(net.model)).parameters.total,
    runs: results,
    trainError: over(results.map(({ trainError }) => trainError)),
    testError: over(results.map(({ testError }) => testError)),
  };
}

function over(values: readonly (number | null)[]): Distribution | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : distribution(known);
}
