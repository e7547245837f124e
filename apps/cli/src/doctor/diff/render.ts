import { formatShape } from '@skiplane/core';
import { renderTable } from '../../render/table.ts';
import { formatRatio } from '../format.ts';
import { groupOutputs } from './end-to-end.ts';
import type { Both } from './judge.ts';
import type { Finding, ProgramDiff } from './summarize.ts';

/** A comparison as text of one screen, the verdict at its end. */
export function renderDiff(diff: ProgramDiff, names: Both<string>): string {
  const [first] = diff.outside;
  return [
    renderKinds(diff, names),
    '',
    `Outputs of the whole program, distance of ${names[1]} from ${names[0]} (relative, L2):`,
    renderOutputs(diff),
    ...diff.undecided.map(({ kind, label, undecided }) => `\nNot compared: ${nameOf(kind, label)}: ${undecided}`),
    '',
    first === undefined
      ? `All ${diff.ops} ops are within their bounds on both backends.`
      : renderFinding(first, diff, names),
  ].join('\n');
}

function renderKinds({ kinds, ops }: ProgramDiff, names: Both<string>): string {
  const largest = (side: 0 | 1): number => Math.max(0, ...kinds.map(({ ratios }) => ratios[side]));
  return renderTable({
    head: ['Operation', 'Ops', ...names.map((name) => `${name}: error/bound`), 'Bound'],
    align: ['left', 'right', 'right', 'right', 'left'],
    rows: [
      ...kinds.map(({ kind, ops: count, ratios }) => kindRow(kind, count, ratios)),
      kindRow('all', ops, [largest(0), largest(1)]),
    ],
  });
}

function kindRow(name: string, count: number, ratios: Both<number>): readonly string[] {
  const bound = Math.max(...ratios) > 1 ? 'OUTSIDE' : 'within';
  return [name, String(count), ...ratios.map((ratio) => formatRatio(ratio)), bound];
}

const formatDistance = (distance: number): string => (distance === 0 ? 'same' : distance.toExponential(1));

function renderOutputs({ outputs }: ProgramDiff): string {
  return renderTable({
    head: ['Output', 'Tensors', 'Together', 'Largest', 'Of'],
    align: ['left', 'right', 'right', 'right', 'left'],
    rows: groupOutputs(outputs).map(({ name, tensors, together, largest }) => [
      name,
      String(tensors),
      formatDistance(together),
      formatDistance(largest.relative),
      largest.relative === 0 ? '' : largest.name,
    ]),
  });
}

/** The first op that leaves its bound, and how many follow. */
function renderFinding(finding: Finding, { outside, ops }: ProgramDiff, names: Both<string>): string {
  const { position, kind, label, kernels, ratios, worst } = finding;
  const { side, values, oracle, bound, index, shape } = worst;
  const sides = ([0, 1] as const).map((i) =>
    line(names[i], `${values[i]}   ${kernels[i].join(' + ') || 'no kernel'}, error/bound ${formatRatio(ratios[i])}`),
  );
  return [
    `${names[side]} leaves its bound first in op ${position}, ${nameOf(kind, label)}:`,
    line('result', `${worst.result} ${formatShape(shape)}, ${worst.outside} of ${worst.elements} elements are outside`),
    line('worst', `at ${formatShape(index)}`),
    ...sides,
    line('oracle', String(oracle)),
    line(
      'bound',
      `${bound.toExponential(2)}, and ${names[side]} is off by ${Math.abs(values[side] - oracle).toExponential(2)}`,
    ),
    ...(outside.length > 1 ? [`${outside.length} of ${ops} ops are outside: ${countKinds(outside)}.`] : []),
  ].join('\n');
}

const line = (title: string, text: string): string => `  ${title.padEnd(9)}  ${text}`;

const nameOf = (kind: string, label: string): string => (label === '' ? kind : `${kind} '${label}'`);

function countKinds(outside: readonly Finding[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of outside) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}
