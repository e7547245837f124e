// Runs every static check: npm run check [-- <stage> ...]
import { relative } from 'node:path';
import { prepare } from './prepare.mjs';
import { printTable, root, run, runBin, workspaces } from './tools.mjs';

const published = workspaces().filter(({ manifest }) => !manifest.private);
// A package without code to import has no types to check.
const withTypes = published.filter(({ manifest }) => manifest.exports?.['.']);

const stages = [
  { name: 'lint', start: () => runBin('oxlint', []) },
  { name: 'format', start: () => runBin('oxfmt', ['--check']) },
  { name: 'typecheck', start: () => runBin('turbo', ['run', 'typecheck', '--output-logs=errors-only']) },
  { name: 'deps', start: () => runBin('dependency-cruiser', ['packages', 'apps', '--config'], { bin: 'depcruise' }) },
  { name: 'knip', start: () => runBin('knip', []) },
  { name: 'size', start: () => run(process.execPath, ['scripts/size.mjs']) },
  {
    name: 'publint',
    start: () => forEach(published, (directory) => runBin('publint', ['run', directory, '--strict'])),
  },
  {
    name: 'attw',
    start: () => forEach(withTypes, (directory) => runBin('@arethetypeswrong/cli', attw(directory), { bin: 'attw' })),
  },
];

function attw(directory) {
  return ['--pack', directory, '--profile', 'esm-only', '--no-emoji'];
}

/** Runs one command per package and joins the results. */
async function forEach(packages, start) {
  const total = { code: 0, output: '', seconds: 0 };
  for (const { directory } of packages) {
    const { code, output, seconds } = await start(directory);
    total.code ||= code;
    total.output += `${relative(root, directory)}\n${output}`;
    total.seconds += seconds;
  }
  return total;
}

async function main() {
  const wanted = process.argv.slice(2);
  await prepare();
  const rows = [];
  for (const { name, start } of stages) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const { code, output, seconds } = await start();
    if (code !== 0) console.log(`\n${name}\n${output}`);
    rows.push([name, code === 0 ? 'ok' : 'failed', seconds.toFixed(1)]);
  }
  if (rows.length === 0) throw new Error(`no stage is called '${wanted.join(' ')}'.`);
  console.log();
  printTable([['stage', 'result', 'seconds'], ...rows]);
  if (rows.some(([, result]) => result === 'failed')) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
