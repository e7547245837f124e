import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { printTable, ratioTo, resultsFolder } from './lib/report.mjs';

/** `npm run compare [old.json [new.json]]`: by default the last snapshot against the one before it. */
const [before, after] = chosen(process.argv.slice(2)).map((path) => JSON.parse(readFileSync(path, 'utf8')));

for (const field of ['cpu', 'cores', 'node']) {
  const [old, now] = [before.machine[field], after.machine[field]];
  if (old !== now) console.log(`Not the same ${field}: ${old}, then ${now}`);
}
console.log(`${before.date} → ${after.date}`);
const table = after.rows.flatMap((row) => {
  const old = before.rows.find(({ name }) => name === row.name);
  return old === undefined ? [] : changes(row, old);
});
if (table.length === 0) console.log('The two have no row in common.');
else printTable([['', 'images/s before', 'after', 'change', 'skiplane × before', 'after'], ...table]);

function changes({ name, results }, old) {
  return results.flatMap((result) => {
    const earlier = old.results.find((each) => each.name === result.name);
    if (result.imagesPerSecond === undefined || earlier?.imagesPerSecond === undefined) return [];
    const change = (result.imagesPerSecond / earlier.imagesPerSecond - 1) * 100;
    return [
      [
        `${name} ${result.name}`,
        earlier.imagesPerSecond.toPrecision(4),
        result.imagesPerSecond.toPrecision(4),
        `${change >= 0 ? '+' : ''}${change.toFixed(1)} %`,
        ratioCell(earlier, old.results),
        ratioCell(result, results),
      ],
    ];
  });
}

function ratioCell(result, all) {
  return result.name === 'skiplane' ? '' : (ratioTo(all, result)?.toFixed(2) ?? '');
}

function chosen(paths) {
  const files = existsSync(resultsFolder) ? readdirSync(resultsFolder).filter((file) => file.endsWith('.json')) : [];
  const all = files.toSorted().map((file) => join(resultsFolder, file));
  if (paths.length >= 2) return paths;
  if (paths.length === 1 && all.length >= 1) return [paths[0], all.at(-1)];
  if (all.length >= 2) return all.slice(-2);
  console.error(`${resultsFolder} holds ${all.length} snapshots, but two are compared: npm run bench makes one.`);
  return process.exit(2);
}
