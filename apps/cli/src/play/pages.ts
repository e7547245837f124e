import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../errors.ts';

/** The built playground: beside this program where it is installed, in its own folder in the repository. */
const places = ['../playground', '../../playground/dist'].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** @throws {CommandError} when it is not built */
export function playgroundPages(): string {
  const found = places.find((folder) => existsSync(join(folder, 'index.html')));
  if (found !== undefined) return found;
  throw new CommandError(
    `the playground is not built: there is no index.html in ${places.at(-1)}. Build it: npm run build`,
  );
}
