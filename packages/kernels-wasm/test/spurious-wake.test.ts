import { GraphBuilder } from '@skiplane/core';
import { afterEach, expect, test, vi } from 'vitest';
import { createWasmBackend } from '../src/index.ts';

afterEach(() => void vi.restoreAllMocks());

/** What a system makes of one notify when it suspends the caller before it: workers see the new words, and end, and are woken. */
function wakeAgainLater(): void {
  const notify = Atomics.notify as (words: Int32Array | BigInt64Array, index: number, count?: number) => number;
  vi.spyOn(Atomics, 'notify').mockImplementation((words: Int32Array | BigInt64Array, index: number, count?: number) => {
    const woken = notify(words, index, count);
    const end = performance.now() + 5;
    while (performance.now() < end);
    notify(words, index, count);
    return woken;
  });
}

const additions = 1000;

test.each([2, 3])('a wake-up that comes late starts nothing, on %i threads', async (threads) => {
  using backend = await createWasmBackend({ threads });
  const scalar = { shape: [], dtype: 'f32' } as const;
  const build = new GraphBuilder('count');
  let sum = build.input('x', scalar);
  // So many that a run that nobody has asked for would still go on when the next one begins.
  for (let i = 0; i < additions; i++) sum = build.op('affine', [sum], { scale: 1, offset: 1 });
  build.output('y', sum);
  using x = backend.tensor(scalar);
  using y = backend.tensor(scalar);
  using program = await backend.compile(build.build(), new Map(Object.entries({ x, y })));
  wakeAgainLater();
  for (let run = 1; run <= 40; run++) {
    x.write(Float32Array.of(run));
    await program.run();
    expect(await y.read()).toEqual(Float32Array.of(run + additions));
  }
});
