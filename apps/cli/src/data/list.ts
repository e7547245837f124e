import { statSync } from 'node:fs';
import prettyBytes from 'pretty-bytes';
import { printJson, printLine } from '../output.ts';
import { renderTable } from '../render/table.ts';
import { cachedArchive } from './cache.ts';

interface Place {
  readonly place: string;
  readonly path: string | null;
  readonly exists: boolean;
  readonly bytes: number | null;
}

/** `skiplane data`: the places where data is looked for, in order, and what is there. */
export async function listData({ json }: { json?: true | undefined }): Promise<void> {
  const places = [look('SKIPLANE_DATA', process.env['SKIPLANE_DATA'] || null), look('cache', await cachedArchive())];
  const used = places.find(({ exists }) => exists) ?? null;
  if (json) {
    printJson({ places, used: used?.place ?? null });
    return;
  }
  const rows = places.map((place) => [place.place, place.path ?? '(not set)', describe(place)]);
  printLine(renderTable({ head: ['Place', 'Path', 'State'], align: ['left', 'left', 'left'], rows }));
  printLine();
  printLine(
    used === null
      ? "Without --data there is nothing to use: 'skiplane data download' fetches CIFAR-10, --data synthetic needs no download."
      : `Without --data, ${used.place === 'cache' ? 'the cache' : 'SKIPLANE_DATA'} is used.`,
  );
}

function look(place: string, path: string | null): Place {
  if (path === null) return { place, path, exists: false, bytes: null };
  if (path === 'synthetic') return { place, path, exists: true, bytes: null };
  const found = statSync(path, { throwIfNoEntry: false });
  return { place, path, exists: found !== undefined, bytes: found?.isFile() ? found.size : null };
}

function describe({ path, exists, bytes }: Place): string {
  if (path === null) return '';
  if (!exists) return 'missing';
  return bytes === null ? 'present' : prettyBytes(bytes);
}
