import { pause, phase, preparing, problem, reset, resume, shownRun, start, stop } from '../state/session.ts';
import { modelName, setup } from '../state/setup.ts';
import { Action } from './action.tsx';
import { count, percent, steady } from './format.ts';
import { Problem } from './notice.tsx';

/** Train, pause, stop and reset; how far the run is, and its figures. */
export function Controls() {
  const now = phase.value;
  const run = shownRun.value;
  const running = now === 'training' || now === 'pausing' || now === 'paused' || now === 'stopping';
  return (
    <div class="controls">
      <div class="buttons">
        {running ? (
          <Action
            primary
            off={now === 'pausing' || now === 'stopping'}
            onAct={() => void (now === 'paused' ? resume() : pause())}
          >
            {now === 'paused' ? 'Resume' : 'Pause'}
          </Action>
        ) : (
          <Action primary off={now === 'preparing'} onAct={() => void start({ goOn: false })}>
            {now === 'preparing' ? 'Preparing' : `Train ${modelName(setup.value)}`}
          </Action>
        )}
        <Action off={!running || now === 'stopping'} onAct={() => void stop()}>
          Stop
        </Action>
        <Action off={now === 'preparing' || run === null} onAct={() => void reset()}>
          Reset
        </Action>
        <p class="status" role="status">
          {statusText()}
        </p>
      </div>
      <Progress />
      <p class="unseen" role="status">
        {milestone()}
      </p>
      <Problem text={problem.value} />
    </div>
  );
}

const words: Readonly<Record<Exclude<typeof phase.value, 'idle' | 'preparing'>, string>> = {
  training: '',
  pausing: 'Finishing the step…',
  paused: 'Paused: the network can be looked at.',
  stopping: 'Stopping…',
};

const ends = { done: 'Finished.', stopped: 'Stopped.', failed: 'Failed.', running: 'Running.', paused: 'Paused.' };

function statusText(): string {
  const run = shownRun.value;
  if (phase.value === 'preparing') return `${preparing.value}…`;
  if (phase.value !== 'idle') return words[phase.value];
  return run === null ? '' : ends[run.status];
}

/** For screen readers, which do not follow figures that change all the time: every quarter of the run. */
function milestone(): string {
  const run = shownRun.value;
  const epochs = run?.start?.epochs;
  const quarter = (epoch: number): number => Math.floor((4 * epoch) / (epochs ?? 1));
  const checks = run?.points.filter(({ valAccuracy }) => valAccuracy !== null) ?? [];
  const newest = checks.at(-1);
  const last = newest && checks.find(({ epoch }) => quarter(epoch) === quarter(newest.epoch));
  if (epochs === undefined || last?.valAccuracy == null || quarter(last.epoch) === 0) return '';
  return `${25 * quarter(last.epoch)} % of the run: validation accuracy ${percent(last.valAccuracy)}`;
}

function Progress() {
  const run = shownRun.value;
  const last = run?.points.at(-1);
  const newest = run?.points.findLast(({ loss }) => loss !== null);
  const checked = run?.points.findLast(({ valAccuracy }) => valAccuracy !== null);
  const epochs = run?.start?.epochs ?? setup.value.epochs;
  const share = (last?.epoch ?? 0) / epochs;
  const facts: readonly (readonly [string, string])[] = [
    [
      'Epoch',
      `${run?.status === 'done' ? Math.floor(last?.epoch ?? epochs) : Math.min(Math.floor(last?.epoch ?? 0) + 1, epochs)} of ${epochs}`,
    ],
    ['Loss', newest?.loss == null ? '–' : steady(newest.loss)],
    ['Accuracy', newest?.accuracy == null ? '–' : percent(newest.accuracy)],
    ['Validation', checked?.valAccuracy == null ? '–' : percent(checked.valAccuracy)],
    ['Images/s', newest?.imagesPerSecond == null ? '–' : count(newest.imagesPerSecond)],
  ];
  return (
    <div class="progress">
      <progress max={1} value={share} aria-label="Progress of the run" />
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
