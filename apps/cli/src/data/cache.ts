import { join } from 'node:path';
import { officialArchive } from './archive.ts';

/** The user's cache folder for this program, by the custom of the operating system; it need not exist. */
export async function cacheFolder(): Promise<string> {
  const { default: envPaths } = await import('env-paths');
  return envPaths('skiplane', { suffix: '' }).cache;
}

/** Where `skiplane data download` puts the archive and where it is looked for. */
export async function cachedArchive(): Promise<string> {
  return join(await cacheFolder(), officialArchive.name);
}
