import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const resultsFolder = fileURLToPath(new URL('../results/', import.meta.url));

export function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
    load: loadavg().map((value) => Math.round(value * 100) / 100),
  };
}

/** Skiplane's speed over a peer's. */
export const ratioTo = (results, peer) => {
  const ours = results.find(({ name }) => name === 'skiplane')?.imagesPerSecond;
  return ours === undefined || peer.imagesPerSecond === undefined ? undefined : ours / peer.imagesPerSecond;
};

/** One row as lines of text. */
export function printRow({ name }, results) {
  console.log(`\n${name}`);
  printTable([
    ['', 'images/s', 'slowest–fastest', 'ms a run', 'set up s', 'peak MB', 'skiplane ×', 'differs by'],
    ...results.map((result) => cellsOf(result, ratioTo(results, result))),
  ]);
}

function cellsOf(result, ratio) {
  const { name, failed, imagesPerSecond, slowest, fastest, medianMilliseconds, setup, peakMemoryBytes, check } = result;
  if (imagesPerSecond === undefined) return [name, `— ${failed.split('\n')[0].slice(0, 90)}`];
  return [
    name,
    number(imagesPerSecond),
    `${number(slowest)}–${number(fastest)}`,
    number(medianMilliseconds),
    (setup.setupMilliseconds / 1000).toFixed(1),
    (peakMemoryBytes / 1e6).toFixed(0),
    name === 'skiplane' || ratio === undefined ? '' : ratio.toFixed(2),
    `${check.difference?.toExponential(1) ?? '?'}${check.agrees === false ? ' NOT THE SAME NET' : ''}${failed ? ' (ended early)' : ''}`,
  ];
}

const number = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

export function printTable(table) {
  const widths = table[0].map((_, column) =>
    Math.max(...table.filter((cells) => cells.length > 2).map((cells) => cells[column].length)),
  );
  for (const cells of table) {
    const padded = cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])));
    console.log(`  ${(cells.length > 2 ? padded : [padded[0], cells[1]]).join('   ')}`);
  }
}

/** Writes `results/<date>.json` and gives its path. */
export function writeSnapshot(snapshot) {
  mkdirSync(resultsFolder, { recursive: true });
  const path = join(resultsFolder, `${snapshot.date.replaceAll(':', '-').replace(/\.\d+Z$/, 'Z')}.json`);
  writeFileSync(path, `${JSON.stringify(snapshot, null, 2)}\n`);
  return path;
}
