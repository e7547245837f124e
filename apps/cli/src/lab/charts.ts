import type { LayerMeasure } from '@skiplane/resnet';
import type { CurvePoint } from '@skiplane/resnet/node';
import { chart, type ChartOptions, type Line, type Point } from '../report/charts.ts';
import { html, type Html } from '../report/html.ts';
import { legendOf } from '../report/legend.ts';
import { lineColor } from '../report/style.ts';
import { distribution } from '../seeds/statistics.ts';
import type { NetRuns } from './results.ts';

/** Errors and losses by epoch: each a mean over the runs that have got there. */
export function epochSections(title: string, nets: readonly NetRuns[]): readonly Html[] {
  const panels = [
    panel(
      'Training error',
      { label: 'Training error by epoch', format: '.0%' },
      nets,
      byEpoch(({ accuracy }) => 1 - accuracy),
    ),
    panel(
      'Test error',
      { label: 'Test error by epoch', format: '.0%' },
      nets,
      byEpoch(({ valAccuracy }) => 1 - valAccuracy),
    ),
    panel(
      'Training loss',
      { label: 'Training loss by epoch', mayBeLogarithmic: true },
      nets,
      byEpoch(({ loss }) => loss),
    ),
  ];
  return [
    section(
      title,
      panels,
      'Means over the seeds. The training error and loss of an epoch are means over it, while the weights change; the loss has the L2 penalty.',
    ),
  ];
}

/** Figures of every layer, in order, as the last epoch ended and the first. */
export function layerSections(title: string, nets: readonly NetRuns[]): readonly Html[] {
  if (!nets.some(({ runs }) => runs.some(({ measurements }) => measurements.epochs.length > 0))) return [];
  const panels = [
    panel(
      'Layer responses, last epoch',
      layerChart('Standard deviation of the output'),
      nets,
      byLayer(-1, ({ response }) => response),
    ),
    panel(
      'Gradient norms, first epoch',
      layerChart('Gradient norm'),
      nets,
      byLayer(0, ({ gradientNorm }) => gradientNorm),
    ),
    panel(
      'Gradient norms, last epoch',
      layerChart('Gradient norm'),
      nets,
      byLayer(-1, ({ gradientNorm }) => gradientNorm),
    ),
  ];
  return [
    section(
      `${title}: responses and gradients`,
      panels,
      'By layer, of the convolutions on the main path: the standard deviation of their output behind the batch norm and before the activation (He et al. 2015, figure 7), ' +
        'and the L2 norm of the gradient of the cross-entropy with respect to the filter, on one fixed batch; means over the seeds.',
    ),
  ];
}

const layerChart = (what: string): ChartOptions => ({
  label: `${what} by layer`,
  along: 'layer',
  mayBeLogarithmic: true,
});

function section(title: string, panels: readonly Html[], note: string): Html {
  return html`<section>
    <h2>${title}</h2>
    <div class="grid">${panels}</div>
    <p class="quiet">${note}</p>
  </section>`;
}

type PointsOf = (net: NetRuns) => readonly Point[];

function panel(title: string, options: ChartOptions, nets: readonly NetRuns[], pointsOf: PointsOf): Html {
  const lines = nets.map((net, i): Line => ({
    name: net.net.label,
    color: lineColor(i),
    dashed: false,
    points: pointsOf(net),
  }));
  return html`<div class="panel">
    <h3>${title}</h3>
    ${chart(lines, options)}${legendOf(lines)}
  </div>`;
}

function byEpoch(value: (point: CurvePoint) => number): PointsOf {
  return ({ runs }) => meansOf(runs.map(({ run }) => run.curve.map(value)));
}

/** @param at  the index of an epoch, from the end where it is negative */
function byLayer(at: number, value: (measure: LayerMeasure) => number): PointsOf {
  return ({ runs }) => meansOf(runs.map(({ measurements }) => (measurements.epochs.at(at)?.layers ?? []).map(value)));
}

/** Of lists by place, from 1. */
function meansOf(lists: readonly (readonly number[])[]): readonly Point[] {
  const length = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length }, (_, i) => ({
    x: i + 1,
    y: distribution(lists.flatMap((list) => list[i] ?? [])).mean,
  }));
}
