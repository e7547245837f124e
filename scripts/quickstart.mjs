// Installs, builds and shows Skiplane at work in a few minutes: npm run quickstart
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { root, run } from './tools.mjs';

const cli = join(root, 'apps', 'cli', 'bin', 'skiplane.js');
const folder = join('runs', 'quickstart');
const weights = join(folder, 'best.safetensors');
const picture = join(folder, 'picture.png');

/** The settings are small enough for two cores, and long enough to show learning. */
const settings = {
  synthetic: ['--data', 'synthetic', '--epochs', '6', '--limit-train', '6000', '--limit-test', '1000'],
  cifar10: ['--epochs', '4', '--limit-train', '10000', '--limit-test', '2000'],
};

try {
  await prepare();
  // Ctrl-C belongs to the command that runs: it saves, and its exit code tells.
  process.on('SIGINT', () => {});
  await show();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

async function show() {
  const real = await hasData();
  const data = real ? [] : ['--data', 'synthetic'];
  rmSync(join(root, folder), { recursive: true, force: true });
  const options = real ? settings.cifar10 : settings.synthetic;
  const train = ['train', '--model', 'resnet8v1', '--lr', '0.002', '--no-augment', '--out', folder, ...options];
  await step(`A network of 8 layers learns ${real ? 'CIFAR-10' : 'pictures of 10 synthetic classes'}`, train);
  await step('It is measured on test images that it has not seen', ['evaluate', '--weights', weights, ...data]);
  await skiplane(['data', 'picture', '7', '--to', picture, ...data]);
  await step('It looks at a picture', ['predict', '--weights', weights, picture]);
  console.log(next(real));
}

/** True where SKIPLANE_DATA or the cache has CIFAR-10. */
async function hasData() {
  const { code, output } = await run(process.execPath, [cli, 'data', '--json']);
  if (code !== 0) throw new Error(`'skiplane data' failed:\n${output}`);
  return JSON.parse(output).used !== null && process.env['SKIPLANE_DATA'] !== 'synthetic';
}

async function step(title, args) {
  console.log(`\n== ${title}`);
  await skiplane(args);
}

async function skiplane(args) {
  console.log(`$ npx skiplane ${args.join(' ')}`);
  const { code } = await run(process.execPath, [cli, ...args], { show: true });
  if (code === 0) return;
  if (code === 130) process.exit(code);
  throw new Error(`'skiplane ${args[0]}' exited with ${code}; its message is above.`);
}

function next(real) {
  const download = real ? '' : '  npx skiplane data download                  fetch CIFAR-10 (170 MB) once\n';
  return `
What to try next:
  npx skiplane predict --weights ${weights} your-own.jpg
${download}  npx skiplane train                          ResNet-20 with the settings of the Keras example
  npx skiplane summary resnet56v1             layers, parameters, work and memory of a network
  npx skiplane doctor                         what runs on this machine
  npx skiplane --help`;
}
