import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { Html } from './html.ts';

/** One line of a chart. */
export interface Line {
  readonly name: string;
  /** Of CSS. */
  readonly color: string;
  readonly dashed: boolean;
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface ChartOptions {
  /** For screen readers. */
  readonly label: string;
  /** What is counted from left to right, from 1 (default: epoch). */
  readonly along?: string;
  /** Such as `.0%`, as d3-format knows it (default: plain numbers). */
  readonly format?: string | ((value: number) => string);
  /** A logarithmic axis, where all values are positive and far apart. */
  readonly mayBeLogarithmic?: boolean;
  /** A place to mark. */
  readonly mark?: number | undefined;
}

/** Small enough to be readable as it is on a phone; wider screens show it a little larger. */
const size = { width: 440, height: 264 } as const;
/** Up to here every point has a dot. */
const dottedPoints = 40;
/** From this ratio of the largest value to the smallest on, an axis is logarithmic. */
const farApart = 50;

/** Lines as an SVG that needs no script: colours are those of the page, values show when pointed at. */
export function chart(
  lines: readonly Line[],
  { label, along = 'epoch', format = plain, mayBeLogarithmic, mark }: ChartOptions,
): Html {
  const { document } = parseHTML('<html></html>');
  const all = lines.flatMap(({ points }) => points.map(({ y }) => y));
  const last = Math.max(1, ...lines.flatMap(({ points }) => points.map(({ x }) => x)));
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
    x: { label: along, domain: last === 1 ? [0.5, 1.5] : [1, last], ticks: wholeTicks(last), tickFormat: 'd' },
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
      ...lines.map(({ color, dashed, points }) =>
        Plot.lineY(points, { x: 'x', y: 'y', stroke: color, ...(dashed && { strokeDasharray: '5 3' }) }),
      ),
      ...lines.map(({ name, color, points }) =>
        Plot.dot(last > dottedPoints ? [] : points, {
          x: 'x',
          y: 'y',
          fill: color,
          r: 2.2,
          title: ({ x, y }: Point) => `${name}, ${along} ${x}: ${Number(y.toPrecision(5))}`,
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

/** Up to nine, at round numbers. */
function wholeTicks(last: number): readonly number[] {
  const step = [1, 2, 5].flatMap((digit) => [1, 10, 100, 1000].map((power) => digit * power));
  const distance = step.toSorted((a, b) => a - b).find((candidate) => last / candidate < 9) ?? last;
  return Array.from({ length: last }, (_, i) => i + 1).filter((tick) => tick % distance === 0);
}
