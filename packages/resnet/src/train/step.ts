import type { CompileOptions, Recomputation } from '@skiplane/core';
import type { BatchBuffers } from '../data/batch-preparer.ts';
import type { GatherBuffers } from '../data/batch-source.ts';

/** A compiled training step for one batch size, as a whole or in parts. */
export interface Step extends Disposable {
  readonly batch: number;
  /** Device memory for the values between ops, of its largest program. */
  readonly arenaBytes: number;
  /** That of its largest program; null without a limit. */
  readonly recomputation: Recomputation | null;
  /**
   * Starts one step; resolves when the buffers' tensors may be written again.
   * @param step  0 for the first step of all
   */
  run(buffers: BatchBuffers | GatherBuffers, learningRate: number, step: number): Promise<void>;
  dispose(): void;
}

/** Makes a program, within a limit for the values between its ops where there is one. */
export type Fit = <T extends Disposable>(
  make: (limit: Pick<CompileOptions, 'arenaLimitBytes'>) => Promise<T>,
) => Promise<T>;
