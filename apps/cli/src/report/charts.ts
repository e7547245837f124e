import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { CurvePoint } from '@skiplane/resnet/node';
import { Html } from './html.ts';

/** One line of a chart. */
export interface Line {
  readonly name: string;
  /** Of CSS. */
  readonly color: string;
  readonly dashed: boolean;
  readonly curve: readonly CurvePoint[];
  /** Null where there is no value. */
  readonly value: (point: CurvePoint) => number | null;
}

export interface ChartOptions {
  /** For screen readers. */
  readonly label: string;
  /** Such as `.0%`, as d3-format knows it (default: plain numbers). */
  readonly format?: string | ((value: number) => string);
  /** A logarithmic axis, where all values are positive and far apart. */
  readonly mayBeLogarithmic?: boolean;
  /** An epoch to mark. */
  readonly mark?: number | undefined;
}

/** Small enough to be readable as it is on a phone; wider screens show it a little larger. */
const size = { width: 440, height: 264 } as const;
/** Up to here every epoch has a dot. */
const dottedEpochs = 40;
/** From this ratio of the largest value to the smallest on, an axis is logarithmic. */
const farApart = 50;

/** Values by epoch as an SVG that needs no script: colours are those of the page, values show when pointed at. */
export function chart(lines: readonly Line[], { label, format = plain, mayBeLogarithmic, mark }: ChartOptions): Html {
  const { document } = parseHTML('<html></html>');
  const epochs = Math.max(1, ...lines.flatMap(({ curve }) => curve.map(({ epoch }) => epoch)));
  const points = lines.map((line) => ({ line, values: valuesOf(line) }));
  const all = points.flatMap(({ values }) => values.map(({ y }) => y));
  const logarithmic =
    mayBeLogarithmic === true && Math.min(...all) > 0 && Math.max(...all) / Math.min(...all) > farApart;
  const drawn = Plot.plot({
    document,
    ...size,
    marginLeft: 54,
    marginRight: 12,
    marginBottom: 38,
    ariaLabel: label,
    style: { fontSize: '12px' },
    x: { label: 'epoch', domain: epochs === 1 ? [0.5, 1.5] : [1, epochs], ticks: wholeTicks(epochs), tickFormat: 'd' },
    y: {
      label: null,
      grid: true,
      nice: true,
      tickFormat: format,
      ticks: logarithmic ? 3 : 5,
      type: logarithmic ? 'log' : 'linear',
    },
    marks: [
      ...(mark === undefined ? [] : [Plot.ruleX([mark], { strokeOpacity: 0.35, strokeDasharray: '2 3' })]),
      ...points.map(({ line: { color, dashed }, values }) =>
        Plot.lineY(values, { x: 'x', y: 'y', stroke: color, ...(dashed && { strokeDasharray: '5 3' }) }),
      ),
      ...points.map(({ line: { name, color }, values }) =>
        Plot.dot(epochs > dottedEpochs ? [] : values, {
          x: 'x',
          y: 'y',
          fill: color,
          r: 2.2,
          title: ({ x, y }: Value) => `${name}, epoch ${x}: ${Number(y.toPrecision(5))}`,
        }),
      ),
    ],
  });
  return new Html(drawn.outerHTML);
}

/** A number without an exponent. */
function plain(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}

interface Value {
  readonly x: number;
  readonly y: number;
}

function valuesOf(line: Line): readonly Value[] {
  return line.curve.flatMap((point) => {
    const y = line.value(point);
    return y === null ? [] : [{ x: point.epoch, y }];
  });
}

/** Up to nine epochs, at round numbers. */
function wholeTicks(epochs: number): readonly number[] {
  const step = [1, 2, 5].flatMap((digit) => [1, 10, 100, 1000].map((power) => digit * power));
  const distance = step.toSorted((a, b) => a - b).find((candidate) => epochs / candidate < 9) ?? epochs;
  return Array.from({ length: epochs }, (_, i) => i + 1).filter((epoch) => epoch % distance === 0);
}
