import { existsSync } from 'node:fs';
import { CommandError } from '../errors.ts';
import { cachedArchive } from './cache.ts';

/** Where the images come from, and who said so. */
export type DataSource =
  | { readonly kind: 'synthetic'; readonly origin: string }
  | { readonly kind: 'path'; readonly path: string; readonly origin: string };

/** `--data`, else `$SKIPLANE_DATA`, else the downloaded archive. @throws {CommandError} when there is none of them */
export async function findDataSource(option: string | undefined): Promise<DataSource> {
  if (option !== undefined) return existing(option, '--data');
  const variable = process.env['SKIPLANE_DATA'];
  if (variable) return existing(variable, 'SKIPLANE_DATA');
  const archive = await cachedArchive();
  if (existsSync(archive)) return { kind: 'path', path: archive, origin: 'the cache' };
  throw new CommandError(
    [
      'no data: --data is not given, SKIPLANE_DATA is not set, and the cache holds no CIFAR-10.',
      "  'skiplane data download' fetches the official archive (170 MB) once;",
      '  --data DIR or --data FILE.tar.gz takes a copy that you have;',
      '  --data synthetic draws pictures of its own and needs no download.',
    ].join('\n'),
  );
}

function existing(path: string, origin: string): DataSource {
  if (path === 'synthetic') return { kind: 'synthetic', origin };
  if (existsSync(path)) return { kind: 'path', path, origin };
  throw new CommandError(
    `${origin} is '${path}', but there is no such file or folder. ` +
      'It must be a folder with the CIFAR-10 .bin files, a .tar.gz archive of them, or the word synthetic.',
  );
}
