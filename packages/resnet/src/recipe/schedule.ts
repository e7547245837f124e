/** Learning rates as data: what the rate is at every step of a run. */
export type Schedule = (ConstantRate | PiecewiseRate | CosineRate | OneCycleRate) & {
  /** What goes before, or null. */
  readonly warmUp: WarmUp | null;
};

interface ConstantRate {
  readonly kind: 'constant';
  readonly rate: number;
}

/** `rates[i + 1]` from `boundaries[i]` on (an epoch or an iteration, from 0), and `rates[0]` before all of them. */
interface PiecewiseRate {
  readonly kind: 'piecewise';
  readonly by: 'epoch' | 'iteration';
  readonly boundaries: readonly number[];
  readonly rates: readonly number[];
}

/** Half a cosine from `rate` at the first step to `final` at the end of the run. */
interface CosineRate {
  readonly kind: 'cosine';
  readonly rate: number;
  readonly final: number;
}

/** From `start` up to `peak`, which is reached after the fraction `rise` of the run, and down to `final` at its last step. */
interface OneCycleRate {
  readonly kind: 'oneCycle';
  readonly start: number;
  readonly peak: number;
  readonly final: number;
  readonly rise: number;
  readonly shape: 'linear' | 'cosine';
}

type WarmUp = LinearWarmUp | WarmUpUntilAccuracy;

/** The schedule's rate times a factor that grows with every step from `from` to 1, which it reaches after `length`. */
interface LinearWarmUp {
  readonly kind: 'linear';
  readonly by: 'epoch' | 'iteration';
  readonly length: number;
  /** 0 or more, below 1. */
  readonly from: number;
}

/** `rate` until an epoch has ended whose training accuracy is above `accuracy`: He et al. 2015, for 110 layers. */
interface WarmUpUntilAccuracy {
  readonly kind: 'untilAccuracy';
  readonly rate: number;
  readonly accuracy: number;
}

/** Where a run stands, for a schedule. */
export interface ScheduleTime {
  /** Steps since training began. */
  readonly iteration: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Epochs of the whole run. */
  readonly epochs: number;
  /** Training accuracies of the epochs that are done. */
  readonly accuracies: readonly number[];
}

/** The example's `lr_schedule`: 1e-3, and 1e-4, 1e-5, 1e-6, 5e-7 after epochs 80, 120, 160, 180 (0-based, strictly after). */
export const kerasSchedule: Schedule = {
  kind: 'piecewise',
  by: 'epoch',
  boundaries: [81, 121, 161, 181],
  rates: [1e-3, 1e-4, 1e-5, 1e-6, 5e-7],
  warmUp: null,
};

/** The learning rate of the step that comes next. */
export function learningRateAt(schedule: Schedule, time: ScheduleTime): number {
  const { warmUp } = schedule;
  if (warmUp === null) return plainRate(schedule, time);
  switch (warmUp.kind) {
    case 'linear': {
      const length = warmUp.by === 'epoch' ? warmUp.length * time.steps : warmUp.length;
      const done = Math.min((time.iteration + 1) / length, 1);
      return plainRate(schedule, time) * (warmUp.from + (1 - warmUp.from) * done);
    }
    case 'untilAccuracy':
      return time.accuracies.some((accuracy) => accuracy > warmUp.accuracy) ? plainRate(schedule, time) : warmUp.rate;
    default:
      return warmUp satisfies never;
  }
}

/** True when a longer run has other rates from its first step on, so that a run cannot be made longer later. */
export function dependsOnEpochs({ kind }: Schedule): boolean {
  return kind === 'cosine' || kind === 'oneCycle';
}

function plainRate(schedule: Schedule, { iteration, steps, epochs }: ScheduleTime): number {
  switch (schedule.kind) {
    case 'constant':
      return schedule.rate;
    case 'piecewise': {
      const now = schedule.by === 'epoch' ? Math.floor(iteration / steps) : iteration;
      return schedule.rates[schedule.boundaries.filter((boundary) => now >= boundary).length] as number;
    }
    case 'cosine':
      return blend('cosine', schedule.rate, schedule.final, iteration / (epochs * steps));
    case 'oneCycle': {
      const { shape, start, peak, final, rise } = schedule;
      const done = iteration / Math.max(epochs * steps - 1, 1);
      return done < rise
        ? blend(shape, start, peak, done / rise)
        : blend(shape, peak, final, (done - rise) / (1 - rise));
    }
    default:
      return schedule satisfies never;
  }
}

/** From `a` at 0 to `b` at 1. */
function blend(shape: 'linear' | 'cosine', a: number, b: number, at: number): number {
  const share = shape === 'linear' ? at : (1 - Math.cos(Math.PI * at)) / 2;
  return a + (b - a) * share;
}
