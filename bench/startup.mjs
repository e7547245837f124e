/**
 * How long a process takes from its start to its first result, in turns: npm run bench:startup [-- runs]
 *
 * Times are taken from outside, from before the start of the process: to the first of what it prints, and to its end.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createPreprocessing, initialParameters, modelConfig, syntheticDataset } from '@skiplane/resnet';
import { saveModel } from '@skiplane/resnet/node';
import { median } from './lib/measure.mjs';
import { machine } from './lib/report.mjs';

const runs = Number(process.argv[2] ?? 15);
if (!Number.isInteger(runs) || runs < 1) {
  console.error(`the number of runs must be a whole number of 1 or more, but is '${process.argv[2]}'`);
  process.exit(2);
}
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
mkdirSync(path('.cases'), { recursive: true });
const weights = path('.cases/startup.safetensors');
const picture = path('.cases/startup.png');
// The command's own way to write a picture.
const sharp = createRequire(path('../apps/cli/package.json'))('sharp');
const model = modelConfig('resnet20v1');
const data = syntheticDataset({ split: 'test', count: 1, seed: 1 });
const preprocessing = createPreprocessing(data);
await saveModel(weights, {
  model,
  parameters: initialParameters(model, 1),
  classNames: data.classNames,
  preprocessing,
});
writeFileSync(
  picture,
  await sharp(data.images, { raw: { width: 32, height: 32, channels: 3 } })
    .png()
    .toBuffer(),
);

const skiplane = path('../apps/cli/bin/skiplane.js');
const commands = [
  ['bare Node', ['-e', '0']],
  ['skiplane --help', [skiplane, '--help']],
  ['skiplane predict, 1 thread', [skiplane, 'predict', '--weights', weights, picture, '--threads', '1']],
  ['library: first prediction, 1 thread', [path('lib/first-prediction.mjs'), weights, '1']],
  ['library: first prediction, 2 threads', [path('lib/first-prediction.mjs'), weights, '2']],
];

async function time(args) {
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const problems = [];
  let result;
  child.stdout.on('data', () => (result ??= performance.now() - start));
  child.stderr.on('data', (text) => problems.push(text));
  const [status] = await once(child, 'close');
  const whole = performance.now() - start;
  if (status !== 0) throw new Error(`${args.join(' ')} exited with ${status}: ${problems.join('')}`);
  return { whole, result };
}

const times = new Map(commands.map(([name]) => [name, []]));
for (let run = 0; run <= runs; run++) {
  for (const [name, args] of commands) {
    const measured = await time(args);
    // The first round fills the caches of the file system.
    if (run > 0) times.get(name).push(measured);
  }
}
const { cpu, cores, node, load } = machine();
console.log(`${cpu}, ${cores} cores, Node ${node}, load ${load.join(' ')}; medians of ${runs} runs, in turns`);
const bare = median(times.get('bare Node').map(({ whole }) => whole));
for (const [name, all] of times) {
  const whole = median(all.map((each) => each.whole));
  const first = all[0].result === undefined ? '' : `, ${shown(median(all.map(({ result }) => result)))} to the result`;
  console.log(`${name.padEnd(38)} ${shown(whole)} (${shown(whole - bare)} over bare Node)${first}`);
}

function shown(milliseconds) {
  return `${milliseconds.toFixed(0)} ms`;
}
