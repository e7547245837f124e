import { UnsupportedError, type Backend } from '@skiplane/core';
import type { GpuDeviceOptions, Precision } from '@skiplane/kernels-gpu';
import type { ConvAlgorithm } from '@skiplane/kernels-wasm';
import type { BackendName } from './backend-names.ts';
import { CommandError, errorMessage, UsageError } from './errors.ts';
import { note } from './output.ts';
import { createProgress } from './render/progress.ts';

/** How a backend is to be opened; what is undefined is left to it. */
export interface BackendSettings {
  readonly threads?: number | undefined;
  readonly gpu?: GpuDeviceOptions | undefined;
  /** What activations are held in (default f32). */
  readonly precision?: Precision | undefined;
  /** How wasm computes convolutions (default auto). */
  readonly conv?: ConvAlgorithm | undefined;
}

export interface BackendFlags extends BackendSettings {
  readonly backend: BackendName;
}

type Open = (settings: BackendSettings) => Promise<Backend>;

/**
 * Opens the backend that was asked for and says on stderr what it is and what could not be had.
 * Only `auto` chooses: WebAssembly, or the reference where that does not run.
 */
export async function openBackend({ backend, ...settings }: BackendFlags): Promise<Backend> {
  if (settings.gpu !== undefined && backend !== 'gpu') {
    throw new UsageError(`option '--gpu' chooses an adapter for '--backend gpu', but --backend is ${backend}.`);
  }
  if (settings.conv !== undefined && backend !== 'wasm' && backend !== 'auto') {
    throw new UsageError(
      `option '--conv' chooses among the convolutions of '--backend wasm', but --backend is ${backend}: leave one of them out.`,
    );
  }
  checkPrecision({ backend, precision: settings.precision });
  const opened = backend === 'auto' ? await chooseBackend(settings) : await openers[backend](settings);
  note(`backend: ${opened.info.device}${backend === 'auto' ? ` (chosen by 'auto')` : ''}`);
  for (const { feature, reason } of opened.info.downgrades) note(`  without ${feature}: ${reason}`);
  return opened;
}

/** @throws {UsageError} with f16 on another backend than gpu */
export function checkPrecision({ backend, precision }: Pick<BackendFlags, 'backend' | 'precision'>): void {
  if (precision !== 'f16' || backend === 'gpu') return;
  throw new UsageError(
    `activations in f16 (--precision f16) are for '--backend gpu', but --backend is ${backend}: choose --backend gpu, or compute in f32.`,
  );
}

async function chooseBackend(settings: BackendSettings): Promise<Backend> {
  try {
    return await openers.wasm(settings);
  } catch (error) {
    note(`WebAssembly does not run here (${errorMessage(error)}); taking the reference backend, which is very slow.`);
    return await openers.reference({});
  }
}

export const openers: Readonly<Record<Exclude<BackendName, 'auto'>, Open>> = {
  async wasm({ threads, conv }) {
    const { createWasmBackend } = await import('@skiplane/kernels-wasm');
    return await createWasmBackend({ ...(threads !== undefined && { threads }), ...(conv !== undefined && { conv }) });
  },
  async gpu({ threads, gpu, precision }) {
    if (threads !== undefined) throw new UsageError("option '--threads' is not for '--backend gpu': leave it out.");
    const { createGpuBackend } = await import('@skiplane/kernels-gpu');
    const progress = await createProgress({ plainSeconds: 10 });
    const onProgress = (compiled: number, total: number): void => {
      if (compiled === total) progress.clear();
      else progress.update(compiled / total, `kernels compiled: ${compiled} of ${total}`);
    };
    try {
      return await createGpuBackend({ ...gpu, ...(precision !== undefined && { precision }), onProgress });
    } catch (error) {
      if (!(error instanceof UnsupportedError) || gpu?.software !== undefined) throw error;
      throw new CommandError(`${error.message} On the command line: --gpu software, or another --backend.`);
    }
  },
  async reference({ threads }) {
    if (threads !== undefined && threads > 1) {
      throw new CommandError(`the reference backend has 1 thread, but --threads is ${threads}: leave it out.`);
    }
    const { createReferenceBackend } = await import('@skiplane/core/reference');
    return createReferenceBackend();
  },
};
