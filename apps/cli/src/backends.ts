import type { Backend } from '@skiplane/core';
import type { BackendName } from './backend-names.ts';
import { CommandError, errorMessage } from './errors.ts';
import { note } from './output.ts';

export interface BackendFlags {
  readonly backend: BackendName;
  readonly threads?: number | undefined;
}

/**
 * Opens the backend that was asked for and says on stderr what it is and what could not be had.
 * Only `auto` chooses: WebAssembly, or the reference where that does not run.
 */
export async function openBackend({ backend, threads }: BackendFlags): Promise<Backend> {
  const opened = backend === 'auto' ? await chooseBackend(threads) : await openers[backend](threads);
  note(`backend: ${opened.info.device}${backend === 'auto' ? ` (chosen by 'auto')` : ''}`);
  for (const { feature, reason } of opened.info.downgrades) note(`  without ${feature}: ${reason}`);
  return opened;
}

async function chooseBackend(threads: number | undefined): Promise<Backend> {
  try {
    return await openers.wasm(threads);
  } catch (error) {
    note(`WebAssembly does not run here (${errorMessage(error)}); taking the reference backend, which is very slow.`);
    return await openers.reference(undefined);
  }
}

export const openers: Readonly<
  Record<Exclude<BackendName, 'auto'>, (threads: number | undefined) => Promise<Backend>>
> = {
  async wasm(threads) {
    const { createWasmBackend } = await import('@skiplane/kernels-wasm');
    return await createWasmBackend(threads === undefined ? {} : { threads });
  },
  async reference(threads) {
    if (threads !== undefined && threads > 1) {
      throw new CommandError(`the reference backend has 1 thread, but --threads is ${threads}: leave it out.`);
    }
    const { createReferenceBackend } = await import('@skiplane/core/reference');
    return createReferenceBackend();
  },
};
