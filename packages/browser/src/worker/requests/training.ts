import { ValueError } from '@skiplane/core';
import { modelConfig, type ModelConfig, type RunCheckpoint, type TrainOptions } from '@skiplane/resnet';
import type { TrainerEvent, TrainerResult } from '../../events.ts';
import type { Network, WorkerState } from '../state.ts';
import { TrainingRun } from '../training-run.ts';

/** What the page decides of a run: the options of `train`, but for what the worker holds already. */
export interface TrainRequest extends Omit<
  TrainOptions,
  'backend' | 'model' | 'train' | 'test' | 'validation' | 'checkpoint' | 'signal'
> {
  /** A name such as `resnet20v1`, or a configuration. */
  readonly model: string | ModelConfig;
  /** Go on with the present network, a checkpoint of a run with the same settings (default false: begin anew). */
  readonly resume?: boolean;
}

/** Events since the last answer; a result when the run has ended and they are the last ones. */
export interface TakenEvents {
  readonly events: readonly TrainerEvent[];
  readonly result: TrainerResult | null;
}

/** Starts a run. @throws {ValueError} when another one is under way */
export function train(state: WorkerState, { model, resume: goOn = false, ...options }: TrainRequest): void {
  if (state.run?.finished === false) {
    throw new ValueError('a run is under way: wait for its end, or stop it, before another one begins.');
  }
  const { backend, images } = state;
  const checkpoint = goOn ? runCheckpoint(state.network) : null;
  const config = typeof model === 'string' ? modelConfig(model, sizesOf(state)) : model;
  if (!goOn) state.network = undefined;
  state.run = new TrainingRun({ ...options, ...images, backend, model: config, checkpoint }, (saved) => {
    state.network = saved;
  });
}

function sizesOf({ images: { train: data } }: WorkerState) {
  return {
    imageSize: [data.height, data.width],
    channels: data.channels,
    classes: data.classNames.length,
  } as const;
}

function runCheckpoint({ training, model, ...rest }: Network): RunCheckpoint {
  if (training === null || 'layers' in model) {
    throw new ValueError('the network holds weights only, and no state of training: it cannot go on; begin anew.');
  }
  return { ...rest, model, training };
}

/** Waits for events of the run. @throws what the trainer throws, after the last event */
export async function takeEvents(state: WorkerState): Promise<TakenEvents> {
  const run = runOf(state);
  const events = await run.queue.take();
  return { events, result: events.length > 0 ? null : await run.ended };
}

export async function pause(state: WorkerState): Promise<void> {
  await runOf(state).pause();
}

export function resume(state: WorkerState): void {
  runOf(state).resume();
}

/** Ends the run with a checkpoint; resolves when it has ended. */
export async function stop(state: WorkerState): Promise<void> {
  const run = runOf(state);
  run.stop();
  await run.ended.catch(() => undefined);
}

function runOf({ run }: WorkerState): TrainingRun {
  if (run === undefined) throw new ValueError('there is no run: call train first.');
  return run;
}
