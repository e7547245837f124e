import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

/** One line of a chart. */
export interface Line {
  readonly label: string;
  /** A custom property of the style sheet. */
  readonly color: `--${string}`;
  readonly dashed?: boolean;
  readonly faint?: boolean;
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly title: string;
  /** Of the horizontal axis. */
  readonly unit: string;
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** On the vertical axis, where it is another. */
  readonly axisFormat?: (value: number) => string;
  /** Of the vertical axis (default: even, as far as the values go; there before they are). */
  readonly scale?: keyof typeof scales;
  /** Names of points on the horizontal axis, in place of numbers. */
  readonly names?: readonly string[];
}

const height = 190;
const scales = {
  even: {
    range: (_: uPlot, least: number | null, most: number | null): uPlot.Range.MinMax =>
      least === null || most === null ? [0, 1] : uPlot.rangeNum(least, most, 0.1, true),
  },
  // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enumeration has no values at run time
  logarithmic: { distr: 3 },
  fromZero: { range: (_: uPlot, __: number, most: number): uPlot.Range.MinMax => [0, 1.1 * most] },
};

/** The horizontal axis begins at 0, whose tick says the unit. */
const fromStart = (_: uPlot, __: number | null, most: number | null): [number, number] => [0, most ?? 1];

/** A chart that keeps its height, with a legend that says the newest values; screen readers get those. */
export function Chart(props: ChartProps) {
  const { title, lines, format, unit } = props;
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | null>(null);
  /** For whoever draws anew, later. */
  const newest = useRef(props);
  newest.current = props;
  const shape = [lines.map(({ color, dashed, faint }) => `${color}${dashed}${faint}`), props.scale].join();

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const draw = (): void => {
      drawn.current?.destroy();
      drawn.current = new uPlot(optionsOf(newest.current, element), dataOf(newest.current), element);
    };
    const fit = new ResizeObserver(() => drawn.current?.setSize({ width: element.clientWidth, height }));
    // A task of its own, as setting values is below: a view's charts in one task would hold the page.
    const timer = setTimeout(() => {
      draw();
      fit.observe(element);
    });
    dark.addEventListener('change', draw);
    return () => {
      clearTimeout(timer);
      dark.removeEventListener('change', draw);
      fit.disconnect();
      drawn.current?.destroy();
      drawn.current = null;
    };
    // Made anew only when there are other lines; new values are set below.
  }, [shape]);

  useEffect(() => {
    // A chart that is still to be drawn will have them.
    if (drawn.current === null) return undefined;
    const timer = setTimeout(() => drawn.current?.setData(dataOf(props)));
    return () => clearTimeout(timer);
  }, [props.x, props.lines]);

  const told = lines
    .filter(({ faint }) => faint !== true)
    .map(({ label, values, ...line }) => ({
      ...line,
      label,
      value: values.findLast((value) => value !== null) ?? null,
    }));
  const said = told
    .map(({ label, value }) => `${label} ${value === null ? 'none yet' : format(value)}`.trim())
    .join(', ');
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <span class="legend" aria-hidden="true">
          {told.map(({ label, color, dashed, value }) => (
            <span key={label}>
              <i class={dashed === true ? 'dashed' : ''} style={{ borderColor: `var(${color})` }} />
              {label} {props.names === undefined && <b>{value === null ? '–' : format(value)}</b>}
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={`${title} by ${unit}: ${said}`} style={{ height }} />
    </figure>
  );
}

function dataOf({ x, lines }: ChartProps): uPlot.AlignedData {
  return [x as number[], ...lines.map(({ values }) => values as (number | null)[])];
}

function optionsOf(
  { lines, format, axisFormat = format, unit, scale = 'even', names }: ChartProps,
  element: HTMLElement,
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color('--ink-quiet'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: `12px ${style.fontFamily}`,
  };
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { setScale: false } },
    scales: { x: { time: false, range: fromStart }, y: scales[scale] },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 34,
        labelSize: 14,
        values: (_, ticks) => ticks.map((tick) => names?.[tick] ?? tickOf(tick, unit)),
      },
      { ...axis, size: 52, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : axisFormat(tick))) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: color(line.color),
        width: line.faint === true ? 1 : 1.75,
        alpha: line.faint === true ? 0.3 : 1,
        spanGaps: true,
        points: { show: false },
        ...(line.dashed === true && { dash: [5, 4] }),
      })),
    ],
  };
}

const tickOf = (tick: number, unit: string): string => `${Number(tick.toPrecision(4))}${tick === 0 ? ` ${unit}` : ''}`;
