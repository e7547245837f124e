import { useSignal } from '@preact/signals';
import { Curves } from '../components/curves.tsx';
import { Select } from '../components/field.tsx';
import { count, percent, steady } from '../components/format.ts';
import { Empty } from '../components/notice.tsx';
import { Scroll } from '../components/scroll.tsx';
import { runs, type Run } from '../state/runs.ts';

/** Two runs of this visit over each other; by default the two newest. */
export function Compare() {
  const all = runs.value;
  const chosenRuns = useSignal<readonly [number | null, number | null]>([null, null]);
  if (all.length < 2) {
    return (
      <Empty title="Two runs, side by side">
        {all.length === 0
          ? 'Train a network, change one thing in the setup, and train again.'
          : 'One run is there. Change one thing in the setup, such as the family, and train again.'}
      </Empty>
    );
  }
  const pick = (which: 0 | 1): Run =>
    all.find(({ id }) => id === chosenRuns.value[which]) ?? (all.at(which - 2) as Run);
  const [a, b] = [pick(0), pick(1)];
  const options = all.map(({ id, title }) => [String(id), title] as const);
  return (
    <>
      <div class="pair">
        <Select
          label="Run A"
          value={String(a.id)}
          options={options}
          onChange={(value) => (chosenRuns.value = [Number(value), b.id])}
        />
        <Select
          label="Run B"
          value={String(b.id)}
          options={options}
          onChange={(value) => (chosenRuns.value = [a.id, Number(value)])}
        />
      </div>
      <Curves runs={[a, b]} brief />
      <Differences a={a} b={b} />
    </>
  );
}

function Differences({ a, b }: { readonly a: Run; readonly b: Run }) {
  const rows: readonly (readonly [string, (run: Run) => string])[] = [
    ['Network', ({ start }) => start?.model.name ?? '–'],
    ['Recipe', ({ start }) => start?.recipe.name ?? '–'],
    ['Weights', ({ start }) => (start === null ? '–' : count(start.parameters.trainable))],
    ['Epochs', ({ points, start }) => `${Math.floor(points.at(-1)?.epoch ?? 0)} of ${start?.epochs ?? '–'}`],
    ['Training loss', (run) => shown(run, 'loss', steady)],
    ['Validation loss', (run) => shown(run, 'valLoss', steady)],
    ['Validation accuracy', (run) => shown(run, 'valAccuracy', percent)],
    ['Test accuracy', ({ test }) => (test === null ? '–' : percent(test.accuracy))],
    ['Images/s', (run) => shown(run, 'imagesPerSecond', count)],
  ];
  return (
    <Scroll label="Differences of the runs">
      <table>
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">A</th>
            <th scope="col">B</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, text]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{text(a)}</td>
              <td>{text(b)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function shown(
  { points }: Run,
  quantity: 'loss' | 'valLoss' | 'valAccuracy' | 'imagesPerSecond',
  format: (value: number) => string,
): string {
  const value = points.findLast((point) => point[quantity] !== null)?.[quantity];
  return value == null ? '–' : format(value);
}
