import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  beginEpoch,
  csvLines,
  endEpoch,
  kerasSchedule,
  learningRateAt,
  recipeWithSettings,
  resolveRecipe,
  startCallbacks,
  type CallbackEffect,
  type CallbackSettings,
  type CallbacksState,
  type EpochEnd,
} from '../src/index.ts';

const fixtures = new URL('../../../tools/keras-reference/fixtures/', import.meta.url);
const readJson = (path: string): unknown => JSON.parse(readFileSync(new URL(path, fixtures), 'utf8'));

type Shown = number | string | null;
/** One record of a callback's fixture: what it was shown, and what Keras's callback did. */
interface Trace {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly initialLearningRate: number;
  readonly metrics: readonly Readonly<Record<string, Shown>>[];
  readonly epochs: readonly TracedEpoch[];
  readonly end: { readonly stopTraining?: boolean; readonly weightsOfEpoch?: number };
  readonly error: { readonly message: string } | null;
}
interface TracedEpoch {
  readonly printed?: readonly string[];
  readonly warnings: readonly string[];
  readonly saved?: readonly string[];
  readonly learningRate?: number;
  readonly learningRateAfter?: number;
  readonly best?: Shown;
  readonly wait?: number;
  readonly cooldownCounter?: number;
  readonly bestEpoch?: number;
  readonly stoppedEpoch?: number;
}

const pattern = 'saved_models/cifar10_{model}_model.{epoch:03d}.safetensors';
/** JSON has no NaN. */
const numberOf = (value: Shown | undefined): number | null =>
  value === undefined || value === null ? null : Number(value);
const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Keras's arguments as our settings. */
function settingsOf(kind: CallbackSettings['kind'], config: Trace['config']): CallbackSettings {
  const own = Object.fromEntries(Object.entries(config).map(([name, value]) => [camel(name), value]));
  // Keras takes the absolute value of min_delta; a recipe has to say it at once.
  const { minDelta, ...rest } = own;
  const delta = typeof minDelta === 'number' ? { minDelta: Math.abs(minDelta) } : {};
  const file = kind === 'ModelCheckpoint' ? { filepath: pattern } : {};
  const callback = { kind, ...file, ...rest, ...delta, verbose: 1 } as unknown as CallbackSettings;
  const [settings] = resolveRecipe({ extends: 'keras', callbacks: [callback] }).callbacks;
  if (settings === undefined) throw new Error('the callback is gone');
  return settings;
}

/** What one epoch did, through JSON and back as after a restart of the process. */
interface Driven {
  readonly effects: readonly CallbackEffect[];
  readonly state: CallbacksState['states'][number] | undefined;
  readonly rate: number;
  readonly rateAfter: number;
  readonly stopped: boolean;
}

/** The metrics of an epoch. */
const logsOf = (metrics: Trace['metrics'][number]): EpochEnd['logs'] =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, numberOf(value) ?? Number.NaN]));

function drive(settings: CallbackSettings, { metrics, initialLearningRate }: Trace): readonly Driven[] {
  const driven: Driven[] = [];
  let state = startCallbacks([settings]);
  for (const [epoch, shown] of metrics.entries()) {
    state = beginEpoch([settings], state);
    const rate = Math.min(state.limit ?? initialLearningRate, initialLearningRate);
    const step = endEpoch([settings], state, { epoch, logs: logsOf(shown), learningRate: rate, model: 'ResNet20v1' });
    state = step.state;
    driven.push({
      effects: step.effects,
      state: state.states[0],
      rate,
      rateAfter: state.limit ?? initialLearningRate,
      stopped: state.stopped,
    });
    if (state.stopped) break;
  }
  return driven;
}

const textsOf = (effects: readonly CallbackEffect[], level: 'info' | 'warning'): string[] =>
  effects.flatMap((effect) => (effect.kind === 'message' && effect.level === level ? [effect.text] : []));

/** Two things that must be equal: ours, and Keras's. */
type Pair = readonly [ours: unknown, keras: unknown];

/** Which metrics there were is told in another order. */
const withoutMetrics = (warning: string): string => warning.replace(/ Available metrics are: .*/, '');
/** With Keras's ending of files, and Python's NaN. */
const h5 = (text: string): string => text.replace('.safetensors', '.h5').replace('NaN', 'nan');
/** Keras's rates go through a float32 variable. */
const rounded = (rate: number | undefined): number => Number(rate?.toPrecision(6));

/** Runs every trace of a callback, and compares what `pairs` takes from each epoch. */
function follows(
  kind: CallbackSettings['kind'],
  pairs: (ours: Driven, keras: TracedEpoch) => readonly Pair[],
  atEnd: (ours: readonly Driven[], end: Trace['end']) => readonly Pair[] = () => [],
): void {
  const traces = (readJson(`callbacks/${kind}.json`) as readonly Trace[]).map((trace) => [trace.name, trace] as const);
  it.each(traces)(`${kind} does as Keras does: %s`, (_name, trace) => {
    if (trace.error !== null) {
      expect(() => settingsOf(kind, trace.config)).toThrow('this is no usable recipe');
      return;
    }
    const driven = drive(settingsOf(kind, trace.config), trace);
    expect(driven).toHaveLength(trace.epochs.length);
    trace.epochs.forEach((keras, i) => {
      const ours = driven[i];
      if (ours === undefined) throw new Error(`there is no epoch ${i}`);
      for (const [value, expected] of pairs(ours, keras)) expect(value, `epoch ${i}`).toEqual(expected);
      expect(textsOf(ours.effects, 'warning').map(withoutMetrics)).toEqual(keras.warnings.map(withoutMetrics));
    });
    for (const [value, expected] of atEnd(driven, trace.end)) expect(value).toEqual(expected);
  });
}

follows('ModelCheckpoint', ({ effects, state }, { saved, best, printed = [] }) => [
  [effects.flatMap((effect) => (effect.kind === 'save' ? [h5(effect.file.replace('saved_models/', ''))] : [])), saved],
  [state?.kind === 'ModelCheckpoint' && state.best, numberOf(best)],
  [textsOf(effects, 'info').map(h5), printed.filter((line) => !line.includes('finished saving'))],
]);

follows('ReduceLROnPlateau', ({ state, rate, rateAfter, effects }, keras) => [
  [
    state?.kind === 'ReduceLROnPlateau' && [state.wait, state.cooldown, state.best],
    [keras.wait, keras.cooldownCounter, numberOf(keras.best)],
  ],
  [rounded(rate), rounded(keras.learningRate)],
  [rounded(rateAfter), rounded(keras.learningRateAfter)],
  [textsOf(effects, 'info').length, keras.printed?.length ?? 0],
]);

follows(
  'EarlyStopping',
  ({ state, stopped }, keras) => [
    [
      state?.kind === 'EarlyStopping' && [state.wait, state.bestEpoch, state.best],
      [keras.wait, keras.bestEpoch, numberOf(keras.best)],
    ],
    [stopped, (keras.stoppedEpoch ?? 0) > 0],
  ],
  (driven, { stopTraining, weightsOfEpoch }) => {
    const { state, stopped } = driven.at(-1) ?? {};
    const kept = state?.kind === 'EarlyStopping' ? state.keptEpoch : null;
    return [
      [stopped, stopTraining],
      [(kept ?? driven.length) - 1, weightsOfEpoch],
    ];
  },
);

describe('CSVLogger', () => {
  interface CsvCase {
    readonly name: string;
    readonly config: { readonly separator?: string; readonly append?: boolean };
    readonly runs: readonly Trace['metrics'][];
    readonly text: string;
  }
  it.each((readJson('callbacks/CSVLogger.json') as readonly CsvCase[]).map((one) => [one.name, one] as const))(
    'writes what Keras writes: %s',
    (_name, { config, runs, text }) => {
      const { separator = ',', append = false } = config;
      let file = '';
      for (const run of runs) {
        const [header = '', ...rows] = csvLines(run.map(logsOf) as Record<string, number>[], { separator });
        const before = append ? file : '';
        file = (before === '' ? header : before) + rows.join('');
      }
      expect(file).toBe(text);
    },
  );
});

/** The example's rate of an epoch. */
const schedule = (epoch: number): number =>
  learningRateAt(kerasSchedule, { iteration: epoch, steps: 1, epochs: 200, accuracies: [] });

describe("the example's callbacks together", () => {
  interface Rates {
    readonly training: readonly number[];
    readonly afterEpoch: readonly number[];
    readonly reducedAfterEpochs: readonly number[];
  }
  interface RatesFixture {
    readonly valLoss: readonly number[];
    readonly example: Rates;
    readonly reducerAlone: Rates;
  }
  const { valLoss, example, reducerAlone } = readJson('learning-rates.json') as RatesFixture;

  /** The rates of all epochs, in training and after the callbacks. */
  const ratesOf = (callbacks: readonly CallbackSettings[], scheduled: (epoch: number) => number): number[][] => {
    let state = startCallbacks(callbacks);
    return valLoss.map((loss, epoch) => {
      state = JSON.parse(JSON.stringify(beginEpoch(callbacks, state))) as CallbacksState;
      const learningRate = Math.min(scheduled(epoch), state.limit ?? Number.POSITIVE_INFINITY);
      const logs = { val_loss: loss, val_accuracy: 0.5 };
      state = endEpoch(callbacks, state, { epoch, logs, learningRate, model: 'ResNet20v1' }).state;
      return [learningRate, state.limit ?? learningRate];
    });
  };
  const { callbacks } = resolveRecipe('keras');
  const expectRates = (ours: readonly number[][], keras: Rates): void => {
    ours.forEach(([training = 0, after = 0], epoch) => {
      expect(rounded(training), `epoch ${epoch}`).toBe(rounded(keras.training[epoch]));
      expect(rounded(after), `after epoch ${epoch}`).toBe(rounded(keras.afterEpoch[epoch]));
    });
    const reduced = ours.flatMap(([training = 0, after = 0], epoch) => (after < training ? [epoch] : []));
    expect(reduced).toEqual(keras.reducedAfterEpochs);
  };

  it('train at the rates of the schedule, whatever the reducer does, in all 200 epochs', () => {
    const ours = ratesOf(callbacks, schedule);
    expectRates(ours, example);
    expect(ours.map(([training]) => training)).toEqual(valLoss.map((_, epoch) => schedule(epoch)));
    expect(example.reducedAfterEpochs.length).toBeGreaterThan(0);
  });

  it('or, with the reducer alone, at its rates', () => {
    const reducer = callbacks.filter(({ kind }) => kind === 'ReduceLROnPlateau');
    expectRates(
      ratesOf(reducer, () => 1e-3),
      reducerAlone,
    );
  });

  it("or, when they are combined by 'min', at the smaller of both", () => {
    const combined = recipeWithSettings('keras', {}, [{ path: 'callbacks.2.combine', value: 'min' }]).callbacks;
    const rates = ratesOf(combined, schedule).map(([training = 0]) => training);
    expect(rates.every((rate, epoch) => rate <= schedule(epoch))).toBe(true);
    expect(rates.every((rate, epoch) => rate <= (rates[epoch - 1] ?? 1))).toBe(true);
    expect(rates.some((rate, epoch) => rate < schedule(epoch))).toBe(true);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.5e-6 * (1 - 1e-12));
  });
});
