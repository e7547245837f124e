import type { Downgrade } from '@skiplane/core';
import { UnsupportedError } from '@skiplane/core';
import { relaxedSimd, simd } from 'wasm-feature-detect';
import { nodeModule } from './node.ts';

export type Binary = 'simd' | 'relaxed-simd';

export interface Features {
  readonly binary: Binary;
  readonly threads: number;
  readonly downgrades: readonly Downgrade[];
}

const isolationHelp =
  'serve the page with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp';

/**
 * What this engine can run, at most what is asked for; everything given up is in `downgrades`.
 * @throws {UnsupportedError} when the engine has no SIMD, or not the binary asked for
 */
export async function detectFeatures(asked: {
  binary?: Binary | undefined;
  threads?: number | undefined;
}): Promise<Features> {
  if (!(await simd())) {
    throw new UnsupportedError(
      'the wasm backend needs WebAssembly SIMD, which this engine lacks: use Node 20, or a browser from 2023 or later.',
    );
  }
  const downgrades: Downgrade[] = [];
  const relaxed = asked.binary === 'simd' ? false : await enableRelaxedSimd();
  if (!relaxed && asked.binary === 'relaxed-simd') {
    throw new UnsupportedError(
      "binary 'relaxed-simd': this engine has no relaxed SIMD; ask for 'simd', or for none to take the best there is.",
    );
  }
  if (!relaxed && asked.binary === undefined) {
    downgrades.push({
      feature: 'relaxed-simd',
      reason: 'this engine has no relaxed SIMD (Safari, or a browser before 2024): multiply-adds take two instructions',
    });
  }
  const wanted = asked.threads ?? availableCores();
  const shared = wanted > 1 ? sharedMemoryProblem() : undefined;
  if (shared !== undefined) downgrades.push({ feature: 'threads', reason: `1 thread instead of ${wanted}: ${shared}` });
  return { binary: relaxed ? 'relaxed-simd' : 'simd', threads: shared === undefined ? wanted : 1, downgrades };
}

/** Cores that this process may use. */
function availableCores(): number {
  const os = nodeModule('node:os');
  if (os !== undefined) return os.availableParallelism();
  return (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 1;
}

/** Whether relaxed SIMD compiles; Node 20 has it behind a V8 flag, which may be set while the process runs. */
async function enableRelaxedSimd(): Promise<boolean> {
  if (await relaxedSimd()) return true;
  const v8 = nodeModule('node:v8');
  if (v8 === undefined) return false;
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  return relaxedSimd();
}

function sharedMemoryProblem(): string | undefined {
  if (nodeModule('node:worker_threads') !== undefined) return undefined;
  const { crossOriginIsolated, Worker } = globalThis as { crossOriginIsolated?: boolean; Worker?: unknown };
  if (Worker === undefined) return 'this context cannot start workers';
  if (crossOriginIsolated !== true) return `the page is not cross-origin isolated; ${isolationHelp}`;
  return typeof SharedArrayBuffer === 'function' ? undefined : 'this browser lets workers share no memory';
}
