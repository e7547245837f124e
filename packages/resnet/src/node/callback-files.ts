import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FormatError } from '@skiplane/core';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { encodeCheckpoint } from '../checkpoint/encode.ts';
import { pathProblem } from '../recipe/file-pattern.ts';
import type { CallbackFile } from '../train/events.ts';
import { CsvLog } from './csv-log.ts';
import { errorCode, storageError } from './storage-error.ts';
import { removeTemporaryFiles, writeFileAtomic } from './write-file-atomic.ts';

/** The files that the callbacks of a run ask for, inside its folder. */
export class CallbackFiles {
  readonly #folder: string;
  readonly #resumed: boolean;
  readonly #logs = new Map<number, CsvLog>();

  /** @param resumed  true when the run has written some of them before */
  constructor(folder: string, resumed: boolean) {
    this.#folder = folder;
    this.#resumed = resumed;
  }

  /** Writes what the end of an epoch brings. @throws {StorageError} when a file cannot be written */
  async write(checkpoint: Checkpoint, files: readonly CallbackFile[]): Promise<void> {
    for (const { path, weightsOnly } of files) {
      const bytes = encodeCheckpoint(weightsOnly ? { ...checkpoint, training: null } : checkpoint);
      await writeFileAtomic(await this.#place(path), bytes);
    }
    const { settings, history = [] } = checkpoint.training ?? {};
    for (const [i, callback] of (settings?.recipe.callbacks ?? []).entries()) {
      if (callback.kind !== 'CSVLogger') continue;
      const log = this.#logs.get(i) ?? new CsvLog(await this.#place(callback.filename), callback);
      this.#logs.set(i, log);
      await log.write(history, this.#resumed);
    }
  }

  /** Repairs what a kill has left behind the checkpoint of an epoch. */
  async repair(checkpoint: Checkpoint): Promise<void> {
    const { settings, callbacks, epochsDone = 0, position, end } = checkpoint.training ?? {};
    if (settings === undefined || callbacks === undefined) return;
    const saved = callbacks.states.flatMap((state, i) => {
      const callback = settings.recipe.callbacks[i];
      return state.kind === 'ModelCheckpoint' && state.saved !== null && callback?.kind === 'ModelCheckpoint'
        ? [{ ...state.saved, path: state.saved.file, weightsOnly: callback.saveWeightsOnly }]
        : [];
    });
    for (const { path } of saved) await removeTemporaryFiles(dirname(await this.#place(path)));
    if (position !== 0 || end !== null || epochsDone === 0) return;
    await this.write(
      checkpoint,
      saved.filter(({ epoch }) => epoch === epochsDone),
    );
  }

  /** The path of a file, in a folder that is there. */
  async #place(file: string): Promise<string> {
    const problem = pathProblem(file, file.endsWith('.csv') ? '.csv' : '.safetensors');
    if (problem !== undefined) {
      throw new FormatError(`the run in '${this.#folder}' asks for a file '${file}', which must be ${problem}.`, {
        file,
      });
    }
    const path = join(this.#folder, file);
    try {
      await mkdir(dirname(path), { recursive: true });
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      throw storageError('cannot make the folder', dirname(path), error);
    }
    return path;
  }
}
