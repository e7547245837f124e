import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, runBin } from './tools.mjs';

const oldestNode = [20, 19];

/** Installs the dependencies when they are missing or out of date, then builds every package. */
export async function prepare() {
  checkNode();
  if (isInstalled()) console.log('install   up to date');
  else await stage('install', 'npm ci', npm(['ci', '--include=dev', '--no-audit', '--no-fund']));
  await stage('build', 'npm run build', runBin('turbo', ['run', 'build', '--output-logs=errors-only']));
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [wantedMajor, wantedMinor] = oldestNode;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  throw new Error(
    `Skiplane needs Node ${oldestNode.join('.')} or newer, but this is Node ${process.versions.node}. Install a newer Node and try again.`,
  );
}

/** True when node_modules holds the versions that package-lock.json asks for. */
function isInstalled() {
  const installedPath = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedPath)) return false;
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(installedPath);
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const found = installed[path];
    if (!found) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.link === entry.link;
  });
}

function readPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages;
}

function npm(args) {
  const script = process.env['npm_execpath'];
  if (script?.endsWith('.js')) return run(process.execPath, [script, ...args]);
  return run('npm', args, { shell: process.platform === 'win32' });
}

async function stage(name, command, running) {
  const { code, output, seconds } = await running;
  if (code !== 0) {
    console.error(output);
    throw new Error(`${name} failed: '${command}' exited with ${code}; its output is above.`);
  }
  console.log(`${name.padEnd(9)} ${seconds.toFixed(1)} s`);
}
