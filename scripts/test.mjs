// Installs, builds and runs every test: npm test [-- <part of a package name> ...]
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { printTable, runBin, workspaces } from './tools.mjs';

const wanted = process.argv.slice(2);
const results = [];

try {
  await prepare();
  const stages = workspaces().filter(({ manifest }) => manifest.scripts?.test && isWanted(manifest.name));
  if (stages.length === 0) throw new Error(`no package with tests matches '${wanted.join(' ')}'.`);
  for (const { directory, manifest } of stages) results.push(await runStage(manifest.name, directory));
} catch (error) {
  console.error(`error: ${error.message}`);
  results.push({ name: 'prepare', passed: 0, failed: 1, skipped: 0, seconds: 0, problem: error.message });
}
report();

function isWanted(name) {
  return wanted.length === 0 || wanted.some((part) => name.includes(part));
}

async function runStage(name, directory) {
  console.log(`\n${name}`);
  const folder = mkdtempSync(join(tmpdir(), 'skiplane-test-'));
  const file = join(folder, 'result.json');
  try {
    const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const { code, seconds } = await runBin('vitest', args, { cwd: directory, show: true });
    return { name, seconds, ...count(file, code) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Counts tests; a file that did not load, a run that crashed, and a run without tests count as one failure each. */
function count(file, code) {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0, problem: `vitest exited with ${code}` };
  const json = JSON.parse(readFileSync(file, 'utf8'));
  const unloaded = json.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0);
  const passed = json.numPassedTests;
  const skipped = json.numPendingTests + json.numTodoTests;
  const failed = json.numFailedTests + unloaded.length;
  if (failed > 0) return { passed, failed, skipped };
  if (passed === 0) return { passed, failed: 1, skipped, problem: 'no test ran' };
  if (code !== 0) return { passed, failed: 1, skipped, problem: `vitest exited with ${code}` };
  return { passed, failed, skipped };
}

function report() {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const rows = results.map((r) => [r.name, r.passed, r.failed, r.skipped, r.seconds.toFixed(1)]);
  console.log();
  printTable([['stage', 'passed', 'failed', 'skipped', 'seconds'], ...rows]);
  for (const { name, problem } of results) if (problem) console.log(`  ${name}: ${problem}`);
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  if (sum('failed') > 0) process.exitCode = 1;
}
