import type { Run } from '../state/runs.ts';
import { Chart, type Line } from './chart.tsx';
import { percent, plain, steady, wholePercent } from './format.ts';

type Quantity = 'loss' | 'accuracy' | 'valLoss' | 'valAccuracy' | 'learningRate' | 'imagesPerSecond';

interface CurvesProps {
  readonly runs: readonly Run[];
  /** Only what tells runs apart. */
  readonly brief?: boolean;
}

/** The curves of one run, or of two over each other: then a colour is a run, and training is dashed. */
export function Curves({ runs, brief = false }: CurvesProps) {
  // One horizontal axis for all: every line has a value at some of its points.
  const x = runs.flatMap(({ points }) => points.map(({ epoch }) => epoch)).toSorted((a, b) => a - b);
  const line = (run: Run, quantity: Quantity, label: string, style: Pick<Line, 'color' | 'dashed'>): Line => ({
    label,
    ...style,
    values: valuesAt(x, run, quantity),
  });
  const both = (training: Quantity, validation: Quantity): readonly Line[] =>
    runs.length === 1
      ? runs.flatMap((run) => [
          line(run, training, 'training', { color: '--accent' }),
          line(run, validation, 'validation', { color: '--ink' }),
        ])
      : runs.flatMap((run, i) => [
          line(run, training, `${letters[i]} training`, { color: colors[i] ?? '--ink', dashed: true }),
          line(run, validation, `${letters[i]} validation`, { color: colors[i] ?? '--ink' }),
        ]);
  const single = (quantity: Quantity): readonly Line[] =>
    runs.map((run, i) =>
      line(run, quantity, runs.length === 1 ? '' : (letters[i] ?? ''), { color: colors[i] ?? '--ink' }),
    );
  return (
    <div class="charts">
      <Chart title="Loss" unit="epochs" x={x} lines={both('loss', 'valLoss')} format={steady} axisFormat={plain} />
      <Chart
        title="Accuracy"
        unit="epochs"
        x={x}
        lines={both('accuracy', 'valAccuracy')}
        format={percent}
        axisFormat={wholePercent}
      />
      {!brief && <Chart title="Learning rate" unit="epochs" x={x} lines={single('learningRate')} format={plain} />}
      {!brief && (
        <Chart title="Images per second" unit="epochs" x={x} lines={single('imagesPerSecond')} format={plain} />
      )}
    </div>
  );
}

const letters = ['A', 'B'] as const;
const colors = ['--accent', '--ink'] as const;

function valuesAt(x: readonly number[], { points }: Run, quantity: Quantity): readonly (number | null)[] {
  const values = new Map<number, number>();
  for (const point of points) if (point[quantity] !== null) values.set(point.epoch, point[quantity]);
  return x.map((epoch) => values.get(epoch) ?? null);
}
