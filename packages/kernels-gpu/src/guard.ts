import { GuardError } from '@skiplane/core';
import type { Compiled } from './compile.ts';
import type { Context } from './context.ts';
import { guard, guardBytes, guardWord } from './padding.ts';
import type { GpuTensor } from './tensor.ts';

/** NaN as f32, and twice NaN as f16. */
const poison = 0x7fc07fc0;

interface Guarded {
  readonly what: string;
  readonly buffer: GPUBuffer;
  readonly guardOffset: number;
}

/**
 * Watches the buffers of a program: those of its arena are filled with NaN before each run, and words behind every buffer, its
 * tensors' included, must survive it.
 */
export class Guard {
  readonly #context: Context;
  readonly #slots: readonly Guarded[];
  readonly #tensors: readonly Guarded[];

  constructor(context: Context, { slots }: Compiled, tensors: ReadonlyMap<string, GpuTensor>) {
    this.#context = context;
    this.#slots = slots.map((slot, i) => ({ what: `slot ${i} of ${slot.guardOffset} bytes`, ...slot }));
    this.#tensors = [...tensors].map(([name, { buffer, guardOffset }]) => ({
      what: `the tensor '${name}'`,
      buffer,
      guardOffset,
    }));
  }

  poison(): void {
    const { queue } = this.#context.device;
    for (const { buffer, guardOffset } of this.#slots) {
      const words = new Uint32Array((guardOffset + guardBytes) / 4).fill(poison);
      words.set(guard, guardOffset / 4);
      queue.writeBuffer(buffer, 0, words);
    }
  }

  /** @throws {GuardError} when a word behind a buffer has changed */
  async check(): Promise<void> {
    const all = [...this.#slots, ...this.#tensors];
    // A buffer of its own, since runs may follow each other without a wait.
    const staging = this.#context.staging(all.length * guardBytes, 'guards');
    let copy: ArrayBuffer;
    try {
      copy = await this.#context.download(
        all.map(({ buffer, guardOffset }) => [buffer, guardOffset, guardBytes] as const),
        staging,
      );
    } finally {
      staging.destroy();
    }
    const words = new Uint32Array(copy);
    const changed = words.findIndex((word) => word !== guardWord);
    if (changed === -1) return;
    const found = all[Math.floor((changed * 4) / guardBytes)];
    throw new GuardError(`a kernel wrote behind ${found?.what}.`, { what: found?.what });
  }
}
