import type { LayerMeasure } from '@skiplane/resnet';
import { Chart, type Line } from '../components/chart.tsx';
import { plain } from '../components/format.ts';
import { Empty, NoNetwork, Problem } from '../components/notice.tsx';
import { Scroll } from '../components/scroll.tsx';
import { measures, profiles } from '../state/layer-history.ts';
import { networkVersion } from '../state/session.ts';

const shown = [
  ['gradientNorm', 'Gradient norm', 'Length of the gradient of the cross-entropy with respect to each layer’s filter.'],
  [
    'response',
    'Response',
    'How strongly each layer speaks: standard deviation behind its batch norm, before any ReLU.',
  ],
] as const satisfies readonly (readonly [Exclude<keyof LayerMeasure, 'layer'>, string, string])[];

export function Layers() {
  const newest = profiles.value.at(-1)?.layers;
  if (networkVersion.value === 0) {
    return (
      <NoNetwork title="How gradients reach the layers">
        Train a network: a few seconds in, its gradient norms and responses by layer are here.
      </NoNetwork>
    );
  }
  if (newest === undefined) {
    return measures.problem.value === null ? (
      <Empty title="Measuring">A batch goes forward and back.</Empty>
    ) : (
      <Problem text={measures.problem.value} />
    );
  }
  const names = newest.map(({ layer }) => layer);
  const x = names.map((_, i) => i);
  return (
    <>
      <div class="charts">
        {shown.map(([measure, title, about]) => (
          <div key={measure}>
            <Chart
              title={title}
              unit="layer"
              x={x}
              lines={linesOf(measure)}
              format={plain}
              scale={measure === 'gradientNorm' ? 'logarithmic' : 'fromZero'}
              names={names.map((_, i) => String(i + 1))}
            />
            <p class="about">{about}</p>
          </div>
        ))}
      </div>
      <p class="about">From the first layer to the last, on a batch of 32 images. {earlier()}</p>
      <details>
        <summary>As a table</summary>
        <Scroll label="Layers, as a table">
          <table>
            <thead>
              <tr>
                <th scope="col">Layer</th>
                {shown.map(([measure, title]) => (
                  <th key={measure} scope="col">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {newest.map((layer) => (
                <tr key={layer.layer}>
                  <th scope="row">{layer.layer}</th>
                  {shown.map(([measure]) => (
                    <td key={measure}>{plain(layer[measure])}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
      <Problem text={measures.problem.value} />
    </>
  );
}

/** Zero has no place on a logarithmic axis. */
const positive = (value: number): number | null => (value > 0 ? value : null);

/** What the faint lines are. */
function earlier(): string {
  const epochs = profiles.value.slice(0, -1).map(({ epoch }) => plain(epoch));
  return epochs.length === 0 ? '' : `Faint lines are from earlier in the run, after ${epochs.join(', ')} epochs.`;
}

function linesOf(measure: (typeof shown)[number][0]): readonly Line[] {
  const all = profiles.value;
  return all.map(({ epoch, layers }, i) => ({
    label: i === all.length - 1 ? 'now' : `after ${plain(epoch)} epochs`,
    color: '--accent',
    faint: i < all.length - 1,
    values: layers.map((layer) => positive(layer[measure])),
  }));
}
