import type { BackendInfo } from '@skiplane/core';
import type { GpuBackendOptions } from '@skiplane/kernels-gpu';
import type { WasmBackendOptions } from '@skiplane/kernels-wasm';
import type { WorkerState } from '../state.ts';

/** Which backend to open, with its own options. */
export type TrainerOptions =
  | ({ readonly backend: 'wasm' } & WasmBackendOptions)
  | ({ readonly backend: 'gpu' } & Omit<GpuBackendOptions, 'onProgress'>);

/** Opens the backend. @throws what `createWasmBackend` and `createGpuBackend` throw */
export async function open(state: WorkerState, options: TrainerOptions): Promise<BackendInfo> {
  state.backend = await state.openBackend(options);
  return state.backend.info;
}
