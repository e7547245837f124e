import { statSync } from 'node:fs';
import { findDataSource } from '../data/source.ts';
import { CommandError } from '../errors.ts';
import { note } from '../output.ts';
import { playgroundPages } from './pages.ts';
import { PlayServer } from './server.ts';

export interface ShowOptions {
  /** Default: any that is free. */
  readonly port?: number | undefined;
  /** False: the browser is not opened. */
  readonly open: boolean;
  /** The folder of a run to watch. */
  readonly run: string | null;
}

/** Serves the playground and opens it in the browser. */
export async function showPlayground({ port = 0, open, run }: ShowOptions): Promise<PlayServer> {
  const server = await PlayServer.open({ pages: playgroundPages(), port, archive: await findArchive(), run });
  const address = run === null ? `${server.url}/` : `${server.url}/?watch`;
  note(`${run === null ? 'The playground' : `'${run}'`} is shown on this machine only: ${address}`);
  if (open) await openBrowser(address);
  return server;
}

/** The archive that commands without --data take; null where that is no archive. */
async function findArchive(): Promise<string | null> {
  try {
    const source = await findDataSource(undefined);
    return source.kind === 'path' && statSync(source.path).isFile() ? source.path : null;
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}

async function openBrowser(address: string): Promise<void> {
  const { default: open } = await import('open');
  const browser = await open(address);
  browser.once('error', () => note('No browser could be opened: open the address yourself.'));
}
