import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, defaultServerConditions } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { softwareDrivers } from './software.ts';

/** How often a process is started in all; more take proportionally longer. */
const processes = Number(process.env['SKIPLANE_GPU_PROCESSES'] ?? 10);
const atOnce = 2;
/** From its last work to its end. The start is not counted: it is long on a machine that has other things to do. */
const allowedSeconds = 10;
const hangSeconds = 120;

const exitCodes: Readonly<Record<string, number>> = {
  end: 0,
  'end in the middle of a step': 0,
  dispose: 0,
  'dispose in the middle of a step': 0,
  error: 1,
  'error in a timer': 1,
  rejection: 1,
  'exit in the middle of a step': 7,
  'exit in the middle of a read': 7,
  'exit while it compiles': 7,
};
const endings = Object.keys(exitCodes);

interface Outcome {
  readonly ending: string;
  /** Null when it was killed by a signal. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly seconds: number;
  /** Of these, those after its last work. */
  readonly endSeconds: number;
  readonly stderr: string;
}

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'skiplane-gpu-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const secondsSince = (time: number): number => (performance.now() - time) / 1000;

function runProcess(ending: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(process.execPath, [join(folder, 'short-process.js'), ending], { cwd: packageFolder });
    const timer = setTimeout(() => child.kill('SIGKILL'), hangSeconds * 1000);
    let worked = start;
    let stderr = '';
    child.stdout.on('data', () => (worked = performance.now()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ ending, code, signal, seconds: secondsSince(start), endSeconds: secondsSince(worked), stderr });
    });
  });
}

const spread = (outcomes: readonly Outcome[], which: 'seconds' | 'endSeconds'): string => {
  const sorted = outcomes.map((outcome) => outcome[which]).toSorted((a, b) => a - b);
  return `median ${sorted[outcomes.length >> 1]?.toFixed(2)} s, longest ${sorted.at(-1)?.toFixed(2)} s`;
};

const isRight = ({ ending, code, endSeconds, stderr }: Outcome): boolean =>
  code === exitCodes[ending] && endSeconds < allowedSeconds && (code !== 1 || stderr.includes('meant to happen'));

const drivers = await softwareDrivers();

describe.runIf(drivers.some(({ software }) => software === 'swiftshader'))('a short process on the GPU', () => {
  beforeAll(async () => {
    await build({
      configFile: false,
      logLevel: 'error',
      build: {
        ssr: fileURLToPath(new URL('processes/short-process.ts', import.meta.url)),
        outDir: folder,
        target: 'node20',
        rolldownOptions: { output: { entryFileNames: 'short-process.js' } },
      },
      ssr: { noExternal: true, resolve: { conditions: ['@skiplane/source', ...defaultServerConditions] } },
    });
  }, 60_000);

  test(
    `${processes} of them end by themselves with the right exit code, quickly, without a crash`,
    async () => {
      const outcomes: Outcome[] = [];
      let started = 0;
      const one = async (): Promise<void> => {
        while (started < processes) outcomes.push(await runProcess(endings[started++ % endings.length] ?? ''));
      };
      await Promise.all(Array.from({ length: atOnce }, one));
      const wrong = outcomes.filter((outcome) => !isRight(outcome));
      console.log(
        `${outcomes.length} processes, ${wrong.length} wrong; whole: ${spread(outcomes, 'seconds')}; ` +
          `after the last work: ${spread(outcomes, 'endSeconds')}`,
      );
      expect(wrong).toEqual([]);
      expect(outcomes).toHaveLength(processes);
    },
    60_000 + (processes * hangSeconds * 1000) / atOnce,
  );
});
