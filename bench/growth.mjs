/**
 * How cost grows with the batch, the depth and the number of threads, on the wasm backend:
 *
 *     npm run bench:growth [-- --seconds 2] [--only batch|depth]
 *
 * Every point is a process of its own, so that its peak memory is its own too; the processes run one after the other.
 */
import { parseArgs } from 'node:util';
import { commandOf, Contender } from './lib/contender.mjs';
import { multiplyAdds, netOf } from './lib/net.mjs';
import { peers } from './lib/peers.mjs';
import { machine, printTable } from './lib/report.mjs';
import { writeCase } from './lib/write-case.mjs';

const sweeps = {
  batch: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map((batch) => ({ model: 'resnet20v1', batch })),
  depth: [
    ...[8, 14, 20, 32, 44, 56, 110].map((depth) => ({ model: `resnet${depth}v1`, batch: 32 })),
    ...[11, 20, 29, 56, 110].map((depth) => ({ model: `resnet${depth}v2`, batch: 32 })),
  ],
};

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' }, only: { type: 'string' } } });
const seconds = Number(values.seconds);
if (!(seconds > 0)) fail(`--seconds must be a number above 0, but is '${values.seconds}'`);
if (values.only !== undefined && !(values.only in sweeps)) {
  fail(`--only is ${Object.keys(sweeps).join(' or ')}, but is '${values.only}'`);
}

const { cpu, cores, node, load } = machine();
console.log(`${cpu}, ${cores} cores, Node ${node}, load ${load.join(' ')}, ${new Date().toISOString()}`);
const directories = new Map();
for (const [name, points] of Object.entries(sweeps)) {
  if (values.only !== undefined && values.only !== name) continue;
  for (const mode of ['inference', 'training']) await printSweep(name, mode, points);
}

async function printSweep(name, mode, points) {
  console.log(`\n${mode}, by ${name}`);
  const lines = [];
  for (const point of points) {
    lines.push(await line({ ...point, mode }));
    console.error(`  ${lines.at(-1).join('  ')}`);
  }
  printTable([
    ['', 'batch', 'images/s, 1 thread', '2 threads', '×', 'ms a run, 1 thread', 'GFLOP/s', 'peak MB, 2 threads'],
    ...lines,
  ]);
}

async function line({ model, batch, mode }) {
  const one = await measure({ model, batch, mode, threads: 1 });
  const two = await measure({ model, batch, mode, threads: 2 });
  // A training step multiplies thrice: forward, and the gradients of inputs and filters.
  const operations = 2 * multiplyAdds(netOf(model)) * (mode === 'training' ? 3 : 1);
  return [
    model,
    String(batch),
    one.imagesPerSecond.toPrecision(4),
    two.imagesPerSecond.toPrecision(4),
    (two.imagesPerSecond / one.imagesPerSecond).toFixed(2),
    one.median.toPrecision(3),
    ((one.imagesPerSecond * operations) / 1e9).toFixed(0),
    (two.peakMemoryBytes / 1e6).toFixed(0),
  ];
}

async function measure(job) {
  if (!directories.has(job.model)) directories.set(job.model, await writeCase(job.model));
  const contender = new Contender(commandOf(peers.skiplane.file));
  try {
    await contender.ask({ setup: { ...job, directory: directories.get(job.model) } });
    return await contender.ask({ run: seconds });
  } finally {
    await contender.end();
  }
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
