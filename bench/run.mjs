import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureRow } from './lib/measure.mjs';
import { peers, obstacle } from './lib/peers.mjs';
import { machine, printRow, writeSnapshot } from './lib/report.mjs';
import { rows } from './lib/rows.mjs';
import { writeCase } from './lib/write-case.mjs';

const usage = `npm run bench -- [options]

  --rows TEXT      rows whose name or group contains the text (may be repeated); default: all
  --peers A,B      only these contenders (skiplane is the one that ratios are formed with)
  --seconds N      seconds of a turn (default 3)
  --rounds N       turns of each contender (default 5)
  --list           shows rows and what is installed, and measures nothing
`;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', multiple: true },
    peers: { type: 'string' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const only = values.peers?.split(',');
const unknown = only?.filter((name) => !(name in peers)) ?? [];
if (unknown.length > 0) fail(`no contender is named ${unknown.join(', ')}: there are ${Object.keys(peers).join(', ')}`);
const seconds = positive('seconds', values.seconds);
const rounds = positive('rounds', values.rounds);
const wanted = rows.filter(
  ({ name, group }) => values.rows?.some((text) => name.includes(text) || group === text) ?? true,
);
if (wanted.length === 0) fail(`no row has ${values.rows.join(' or ')} in its name; --list shows them`);

if (values.help) console.log(usage);
else if (values.list) list();
else await run();

function positive(name, text) {
  const value = Number(text);
  if (!(value > 0)) fail(`--${name} must be a number above 0, but is '${text}'`);
  return value;
}

function fail(message) {
  console.error(message);
  process.exit(2);
}

function list() {
  for (const { name, group, peers: names, job } of wanted) {
    console.log(`${name} (${group})`);
    for (const peer of names)
      console.log(`  ${peer}${obstacle(peer, job) === undefined ? '' : `: ${obstacle(peer, job)}`}`);
  }
}

async function run() {
  const snapshot = { date: new Date().toISOString(), machine: machine(), seconds, rounds, rows: [] };
  const { cpu, cores, node, load } = snapshot.machine;
  console.log(`${cpu}, ${cores} cores, Node ${node}, load ${load.join(' ')}, ${snapshot.date}`);
  const cases = new Map();
  let path;
  for (const row of wanted) {
    const { model } = row.job;
    if (!cases.has(model)) cases.set(model, await openCase(model));
    const note = (text) => console.error(`  ${row.name}  ${text}`);
    const results = await measureRow(row, cases.get(model), { seconds, rounds, only, note });
    printRow(row, results);
    snapshot.rows.push({ name: row.name, ...row.job, results });
    // After every row, so that an end in the middle loses nothing.
    path = writeSnapshot(snapshot);
  }
  console.log(`\n${path}`);
  const differs = snapshot.rows.flatMap(({ results }) => results).some(({ check }) => check?.agrees === false);
  if (differs) process.exitCode = 1;
}

async function openCase(model) {
  const directory = await writeCase(model);
  const { logits } = JSON.parse(readFileSync(join(directory, 'case.json'), 'utf8'));
  return { directory, logits };
}
