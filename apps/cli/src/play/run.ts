import { statSync } from 'node:fs';
import { once } from 'node:events';
import { CommandError } from '../errors.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { showPlayground } from './show.ts';

export interface PlayFlags {
  readonly port?: number | undefined;
  readonly open: boolean;
  /** The folder of a run. */
  readonly watch?: string | undefined;
}

/** `skiplane play`: serves until it is interrupted. Returns the exit code. */
export async function play({ port, open, watch }: PlayFlags): Promise<number> {
  if (watch !== undefined && !statSync(watch, { throwIfNoEntry: false })?.isDirectory()) {
    throw new CommandError(
      `cannot watch '${watch}': there is no such folder. Name the folder of a run, such as runs/resnet20v1.`,
    );
  }
  const server = await showPlayground({ port, open, run: watch ?? null });
  const interrupt = listenForInterrupt('Stopping.');
  if (!interrupt.signal.aborted) await once(interrupt.signal, 'abort');
  await server.close();
  interrupt.release();
  return interrupt.exitCode ?? 0;
}
