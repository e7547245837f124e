import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { performance } from 'node:perf_hooks';
import { checkedImages, readCase } from './case.mjs';
import { classes } from './net.mjs';
import { versionOf } from './version-of.mjs';

/**
 * A peer's side of the protocol: one JSON object a line in on stdin, one out on stdout for each.
 *
 *     { "setup": job }    → { device, versions, startMilliseconds, setupMilliseconds, answer }
 *     { "run": seconds }  → { runs, median, minimum, imagesPerSecond, throughput, peakMemoryBytes }
 *
 * and `{ error }` when it cannot. The end of stdin ends the process.
 *
 * @param setup  (job, data) → { device, run, result }: `run` does one run and may leave it under way until the next one;
 *   `result` waits for it and gives the batch's logits (inference) or `[loss]` (training)
 */
export function serve(packages, setup) {
  // Libraries write to the console; stdout belongs to the protocol.
  const reply = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  let workload;
  let batch = 1;
  const actions = {
    setup: async (job) => {
      const start = performance.now();
      batch = job.batch;
      workload = await setup(job, readCase(job.directory, job.mode, batch));
      const answer = await firstAnswers(job.mode, workload);
      const setupMilliseconds = performance.now() - start;
      const versions = Object.fromEntries(packages.map((name) => [name, versionOf(name)]));
      return { device: workload.device, versions, startMilliseconds: start, setupMilliseconds, answer };
    },
    run: async (seconds) => ({
      ...(await measure(workload, batch, seconds)),
      peakMemoryBytes: peakMemoryBytes(),
    }),
  };
  const answerLine = async (line) => {
    const [[action, argument]] = Object.entries(JSON.parse(line));
    try {
      reply(`${JSON.stringify(await actions[action](argument))}\n`);
    } catch (error) {
      reply(`${JSON.stringify({ error: error?.stack ?? String(error) })}\n`);
    }
  };
  let last = Promise.resolve();
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    last = last.then(() => answerLine(line));
  });
  lines.on('close', () => process.exit(0));
}

/** Logits of the first images, or the losses of the first two steps: the second shows that the first one learned. */
async function firstAnswers(mode, { run, result }) {
  await run();
  const first = await result();
  if (mode === 'inference') return Array.from(first.subarray(0, checkedImages * classes));
  await run();
  return [first[0], (await result())[0]];
}

async function measure({ run, result }, batch, seconds) {
  await run();
  await result();
  const times = [];
  const start = performance.now();
  let now = start;
  while (times.length < 3 || now < start + seconds * 1000) {
    await run();
    const before = now;
    now = performance.now();
    times.push(now - before);
  }
  await result();
  const total = performance.now() - start;
  times.sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)];
  return {
    runs: times.length,
    median,
    minimum: times[0],
    imagesPerSecond: (batch / median) * 1000,
    throughput: ((batch * times.length) / total) * 1000,
  };
}

/** Linux counts the parent's memory in `maxRSS`, from before the program was loaded, but not in VmHWM. */
function peakMemoryBytes() {
  const status = '/proc/self/status';
  const peak = existsSync(status) ? /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(status, 'utf8')) : null;
  return (peak === null ? process.resourceUsage().maxRSS : Number(peak[1])) * 1024;
}
