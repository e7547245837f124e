import { checkedImages } from './case.mjs';
import { commandOf, Contender } from './contender.mjs';
import { driverEnvironment } from './driver.mjs';
import { classes } from './net.mjs';
import { obstacle, peers } from './peers.mjs';

/** Largest differences of answers: of logits from float64, relative to the largest; of losses from Skiplane's, relative. */
export const tolerances = { logits: 1e-3, loss: 1e-3, secondLoss: 1e-2 };

/**
 * Measures one row: all contenders start and give their first answers, which must agree; then they run in turn, A B C A B C.
 * @param options  `seconds` a turn, `rounds` of turns, `only` these peers, `note` for progress
 * @returns one result a contender, in the order of the row
 */
export async function measureRow({ job, peers: names }, { directory, logits }, { seconds, rounds, only, note }) {
  const contenders = [];
  try {
    for (const name of names.filter((each) => only === undefined || only.includes(each))) {
      contenders.push(await start(name, { ...job, directory }, note));
    }
    const able = contenders.filter(({ child }) => child !== undefined);
    const expected = job.mode === 'inference' ? logits : able.find(({ name }) => name === 'skiplane')?.setup.answer;
    for (const contender of able) contender.check = compare(job, contender, expected);
    for (let round = 0; round < rounds; round++) {
      for (const contender of able.filter(({ failed }) => failed === undefined)) await turn(contender, seconds, note);
    }
    return contenders.map(resultOf);
  } finally {
    for (const { child } of contenders) await child?.end();
  }
}

async function start(name, job, note) {
  const failed = obstacle(name, job);
  if (failed !== undefined) return { name, failed };
  let child;
  try {
    const environment = name !== 'skiplane' && job.driver ? driverEnvironment(job.driver) : {};
    note(`${name}: set up`);
    child = new Contender(commandOf(peers[name].file), environment);
    return { name, child, setup: await child.ask({ setup: job }), turns: [] };
  } catch (error) {
    await child?.end();
    return { name, failed: error.message };
  }
}

async function turn(contender, seconds, note) {
  try {
    const measured = await contender.child.ask({ run: seconds });
    note(`${contender.name}: ${measured.imagesPerSecond.toPrecision(4)} images/s`);
    contender.turns.push(measured);
  } catch (error) {
    contender.failed = error.message;
  }
}

/** Whether a contender computes the same net. */
function compare({ mode, batch }, { name, setup: { answer } }, expected) {
  if (expected === undefined) return { agrees: null, difference: null };
  if (mode === 'inference') {
    const known = expected.slice(0, Math.min(batch, checkedImages) * classes);
    const largest = Math.max(1, ...known.map(Math.abs));
    const difference = Math.max(...known.map((value, i) => Math.abs(value - answer[i]))) / largest;
    return { agrees: difference <= (peers[name].logits ?? tolerances.logits), difference };
  }
  const [first, second] = expected.map((value, i) => Math.abs(value - answer[i]) / Math.abs(value));
  const agrees = first <= tolerances.loss && second <= tolerances.secondLoss;
  return { agrees, difference: first, secondDifference: second };
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function resultOf({ name, failed, setup, check, turns = [] }) {
  if (turns.length === 0) return { name, failed: failed ?? 'no turn was measured', setup, check };
  const over = (field) => turns.map((each) => each[field]);
  const speeds = over('imagesPerSecond');
  return {
    name,
    imagesPerSecond: median(speeds),
    slowest: Math.min(...speeds),
    fastest: Math.max(...speeds),
    throughput: median(over('throughput')),
    medianMilliseconds: median(over('median')),
    peakMemoryBytes: Math.max(...over('peakMemoryBytes')),
    ...(failed !== undefined && { failed }),
    check,
    setup,
    turns,
  };
}
