import { existsSync } from 'node:fs';
import type { Checkpoint } from '@skiplane/resnet';
import { loadCheckpoint } from '@skiplane/resnet/node';
import { CommandError } from './errors.ts';

/** Reads the checkpoint that `--weights` names. */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  if (!existsSync(path)) {
    throw new CommandError(
      `--weights is '${path}', but there is no such file. Training writes best.safetensors and last.safetensors.`,
    );
  }
  return await loadCheckpoint(path);
}
