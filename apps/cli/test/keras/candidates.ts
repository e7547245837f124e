import type { Backend } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { createGpuBackend } from '@skiplane/kernels-gpu';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { missingGpu } from '../gpu.ts';
import type { KerasModel } from './fixtures.ts';

export interface Candidate {
  /** A column of the table. */
  readonly name: 'reference' | 'wasm' | 'wasm direct' | 'gpu';
  readonly open: () => Promise<Backend>;
  /** Why it cannot run here. */
  readonly missing: string | undefined;
}

/**
 * `wasm` and `gpu` choose kernels as they do for a user: Winograd, and on WebAssembly relaxed SIMD where there is some.
 * `wasm direct` has the same bits on every machine.
 */
export const candidates: readonly Candidate[] = [
  { name: 'reference', open: async () => createReferenceBackend(), missing: undefined },
  { name: 'wasm', open: () => createWasmBackend({ threads: 1 }), missing: undefined },
  {
    name: 'wasm direct',
    open: () => createWasmBackend({ threads: 1, binary: 'simd', conv: 'direct' }),
    missing: undefined,
  },
  { name: 'gpu', open: () => createGpuBackend({ software: 'swiftshader' }), missing: await missingGpu() },
];

/** Everything on every backend takes many minutes, and is for the table of docs/keras.md. */
export const everything = process.env['SKIPLANE_KERAS'] === 'all';

/**
 * How many steps of a run to do. Unless everything is asked for, the slow backends, which are loops in float64 and a processor
 * that plays a GPU, do one run of one model and no more.
 */
export function stepsOf({ name }: Candidate, model: KerasModel, run: string): number {
  if (everything || name === 'wasm' || name === 'wasm direct') return 10;
  if (run !== 'adam') return 0;
  if (model === 'resnet8v1') return 10;
  return name === 'reference' ? 1 : 0;
}

/** Networks share most of their kernels, and a backend compiles each once. */
const backends = new Map<Candidate, Promise<Backend>>();

export function opened(candidate: Candidate): Promise<Backend> {
  const backend = backends.get(candidate) ?? candidate.open();
  backends.set(candidate, backend);
  return backend;
}

export async function closeAll(): Promise<void> {
  for (const backend of await Promise.all(backends.values())) backend.dispose();
}
