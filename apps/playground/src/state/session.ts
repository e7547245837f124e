import { computed, signal } from '@preact/signals';
import { createTrainer, type DataInfo, type Trainer } from '@skiplane/browser';
import type { BackendInfo } from '@skiplane/core';
import { local } from './local-server.ts';
import { messageOf } from './resource.ts';
import { addRun, afterEvent, removeRun, runs, updateRun } from './runs.ts';
import { change, modelName, setup, setupOf, type Setup } from './setup.ts';

type Phase = 'idle' | 'preparing' | 'training' | 'pausing' | 'paused' | 'stopping';

export const phase = signal<Phase>('idle');
/** What is being prepared, in words. */
export const preparing = signal('');
export const problem = signal<string | null>(null);
export const device = signal<BackendInfo | null>(null);
export const data = signal<{ readonly train: DataInfo; readonly test: DataInfo | null } | null>(null);
/** An archive of CIFAR-10 that was dropped. */
export const archive = signal<File | null>(null);
/** Of what the worker holds: grows when there is a newer network, and is 0 when there is none. */
export const networkVersion = signal(0);
/** What the network is called, as the setup may be of another by now. */
export const networkName = signal('');
/** Where the run of a loaded network stands; null for weights alone, and for a network trained here. */
export const loadedRun = signal<{ readonly epochsDone: number; readonly epochs: number } | null>(null);
/** The run that the page shows. */
export const currentRun = signal<number | null>(null);

export const shownRun = computed(() => runs.value.find(({ id }) => id === currentRun.value) ?? null);
export const isBusy = computed(() => phase.value !== 'idle');

let open: { readonly trainer: Trainer; readonly backend: Setup['backend'] } | undefined;
let dataKey = '';
/** Grows with every network, of all runs. */
let networks = 0;

/** The worker for the backend that is chosen. A worker of another backend is ended, and its network with it. */
export async function openTrainer(): Promise<Trainer> {
  const { backend } = setup.value;
  if (open?.backend === backend) return open.trainer;
  open?.trainer.dispose();
  open = undefined;
  [dataKey, data.value, networkVersion.value, device.value] = ['', null, 0, null];
  const trainer = await createTrainer(backend === 'software-gpu' ? { backend: 'gpu', software: true } : { backend });
  open = { trainer, backend };
  device.value = trainer.info;
  return trainer;
}

/** The worker, with the images that are chosen. */
export async function openData(): Promise<Trainer> {
  const trainer = await openTrainer();
  const { data: kind, images, seed } = setup.value;
  const file = archive.value;
  const key = [kind, images, kind === 'synthetic' ? seed : `${file?.name ?? ''}${file?.size ?? ''}`].join();
  if (key === dataKey) return trainer;
  const train = images;
  const test = Math.min(2000, Math.max(200, Math.round(images / 8)));
  if (kind === 'synthetic') {
    data.value = await trainer.loadData({ kind, train, test, seed, size: 32 });
  } else {
    const source = file ?? local.value.cifar10?.url ?? null;
    if (source === null) {
      throw new Error('CIFAR-10 is not here yet: drop cifar-10-binary.tar.gz on “Data”, or choose the drawn shapes.');
    }
    data.value = await trainer.loadData({ kind, archive: source, train, test });
  }
  dataKey = key;
  return trainer;
}

/** Trains the network that is chosen from its beginning, or from where a loaded checkpoint stands. */
export async function start({ goOn }: { readonly goOn: boolean }): Promise<void> {
  const { recipe, epochs, batch, rate, augment, seed, ...rest } = setup.value;
  [problem.value, phase.value, preparing.value] = [null, 'preparing', 'Opening the backend and the images'];
  const before = currentRun.value;
  const name = modelName(setup.value);
  let run: number | undefined;
  try {
    const trainer = await openData();
    preparing.value = 'Compiling the network';
    if (!goOn) [networkVersion.value, loadedRun.value] = [0, null];
    run = addRun(`${name}, ${rest.data === 'cifar10' ? 'CIFAR-10' : 'shapes'}`);
    currentRun.value = run;
    const options = { recipe, epochs, batchSize: batch, augment, seed, ...(rate !== null && { learningRate: rate }) };
    await follow({ run, name }, trainer.train({ model: name, ...options, saveSeconds: 2, resume: goOn }));
  } catch (error) {
    problem.value = messageOf(error);
    if (run !== undefined) fail(run, before);
  }
  phase.value = 'idle';
}

/** A run that took no step is none: what was shown before it is shown again. */
function fail(run: number, before: number | null): void {
  if (runs.value.find(({ id }) => id === run)?.points.length === 0) {
    removeRun(run);
    currentRun.value = before;
  } else updateRun(run, (one) => ({ ...one, status: 'failed' }));
}

async function follow(
  { run, name }: { readonly run: number; readonly name: string },
  events: ReturnType<Trainer['train']>,
): Promise<void> {
  for (;;) {
    const { done, value } = await events.next();
    if (done === true) {
      updateRun(run, (one) => ({ ...one, status: value.interrupted ? 'stopped' : 'done' }));
      return;
    }
    if (phase.value === 'preparing') phase.value = 'training';
    if (value.type === 'checkpoint') [networkVersion.value, networkName.value] = [++networks, name];
    updateRun(run, (one) => afterEvent(one, value));
  }
}

export async function pause(): Promise<void> {
  phase.value = 'pausing';
  await open?.trainer.pause();
  if (phase.value === 'pausing') setStatus('paused', 'paused');
}

export async function resume(): Promise<void> {
  await open?.trainer.resume();
  setStatus('training', 'running');
}

/** Ends the run after its present step; its network stays. */
export async function stop(): Promise<void> {
  phase.value = 'stopping';
  await open?.trainer.stop();
}

/** Ends the run, and forgets it and its network. */
export async function reset(): Promise<void> {
  const run = currentRun.value;
  if (phase.value !== 'idle') await stop();
  if (run !== null) removeRun(run);
  [currentRun.value, problem.value, networkVersion.value, loadedRun.value] = [null, null, 0, null];
}

/** Puts another network in the worker, and its name and its run's length in the setup, to go on with. @returns what it is, in words */
export async function load(file: File): Promise<string> {
  const trainer = await openTrainer();
  const { model, training } = await trainer.load(file);
  change({ ...setupOf(model.name), ...(training !== null && { epochs: training.epochs }) });
  [networkVersion.value, networkName.value, loadedRun.value] = [++networks, model.name, training];
  const done = training === null ? '' : `, with ${training.epochsDone} of ${training.epochs} epochs done`;
  return `${model.name} is loaded${done}.`;
}

function setStatus(next: Phase, status: 'paused' | 'running'): void {
  phase.value = next;
  if (currentRun.value !== null) updateRun(currentRun.value, (one) => ({ ...one, status }));
}
