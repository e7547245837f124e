import { signal } from '@preact/signals';
import type { TrainerEvent } from '@skiplane/browser';
import type { StartEvent, TestResult } from '@skiplane/resnet';

type RunStatus = 'running' | 'paused' | 'done' | 'stopped' | 'failed';

/** One moment of a run; null where the moment says nothing of it. */
interface Point {
  /** Epochs done, with fractions. */
  readonly epoch: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
  readonly valLoss: number | null;
  readonly valAccuracy: number | null;
  readonly learningRate: number | null;
  readonly imagesPerSecond: number | null;
}

export interface Run {
  readonly id: number;
  readonly title: string;
  readonly status: RunStatus;
  readonly start: StartEvent | null;
  readonly points: readonly Point[];
  readonly test: TestResult | null;
  /** The last of `points` that is of training, to tell the next steps from those before. */
  readonly last: {
    readonly epoch: number;
    readonly step: number;
    readonly loss: number;
    readonly accuracy: number;
  } | null;
}

/** Steps over which the curves of training are smoothed. */
const smoothing = 15;
const nothing = {
  loss: null,
  accuracy: null,
  valLoss: null,
  valAccuracy: null,
  learningRate: null,
  imagesPerSecond: null,
};

/** All runs of this visit, the newest last. */
export const runs = signal<readonly Run[]>([]);
let count = 0;

export function addRun(title: string): number {
  const id = ++count;
  const run: Run = {
    id,
    title: `${id} · ${title}`,
    status: 'running',
    start: null,
    points: [],
    test: null,
    last: null,
  };
  runs.value = [...runs.value, run];
  return id;
}

export function updateRun(id: number, change: (run: Run) => Run): void {
  runs.value = runs.value.map((run) => (run.id === id ? change(run) : run));
}

export function removeRun(id: number): void {
  runs.value = runs.value.filter((run) => run.id !== id);
}

/** The run after an event of the trainer. */
export function afterEvent(run: Run, event: TrainerEvent): Run {
  switch (event.type) {
    case 'start':
      return { ...run, start: run.start ?? event };
    case 'progress':
      return afterSteps(run, event);
    case 'epoch': {
      const { epoch, loss, accuracy, learningRate, imagesPerSecond, valLoss, valAccuracy } = event.record;
      // The log of a run on the command line tells of steps every few seconds only: of a short epoch, but the whole.
      const training = run.last?.epoch === epoch ? {} : { loss, accuracy, learningRate, imagesPerSecond };
      const point = { ...nothing, ...training, epoch, valLoss, valAccuracy };
      return { ...run, points: [...run.points, point], last: null };
    }
    case 'end':
      return { ...run, test: event.test };
    case 'validation':
    case 'message':
    case 'checkpoint':
      return run;
    default:
      return event satisfies never;
  }
}

/** Events tell means over the epoch so far; a curve shows the newest steps, smoothed. */
function afterSteps(run: Run, event: Extract<TrainerEvent, { type: 'progress' }>): Run {
  const { epoch, step, steps, learningRate, imagesPerSecond } = event;
  const before = run.last?.epoch === epoch ? run.last : { step: 0, loss: 0, accuracy: 0 };
  const newSteps = step - before.step;
  if (newSteps <= 0) return run;
  const drawn = run.points.findLast(({ loss }) => loss !== null);
  const smoothed = (name: 'loss' | 'accuracy'): number => {
    const recent = (event[name] * step - before[name] * before.step) / newSteps;
    const old = drawn?.[name] ?? recent;
    return old + (1 - Math.exp(-newSteps / smoothing)) * (recent - old);
  };
  const [loss, accuracy] = [smoothed('loss'), smoothed('accuracy')];
  const point = { ...nothing, epoch: epoch - 1 + step / steps, loss, accuracy, learningRate, imagesPerSecond };
  return { ...run, points: [...run.points, point], last: { epoch, step, loss: event.loss, accuracy: event.accuracy } };
}
