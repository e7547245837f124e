import { GraphBuilder, type Tensor } from '@skiplane/core';
import { createGpuBackend } from '../../src/index.ts';

/** Opens a backend, runs a step, says that it works, and ends in the way that the first argument names. */
const [, , ending = ''] = process.argv;
const count = 4096;

const build = new GraphBuilder('short');
const x = build.input('x', { shape: [count], dtype: 'f32' });
build.output('y', build.op('relu', [build.op('affine', [x], { scale: 2, offset: 1 })], {}));
const graph = build.build();

const backend = await createGpuBackend({ software: 'swiftshader' });
const tensors = new Map<string, Tensor>([
  ['x', backend.tensor({ shape: [count], dtype: 'f32' }, new Float32Array(count).fill(3))],
  ['y', backend.tensor({ shape: [count], dtype: 'f32' })],
]);
const program = await backend.compile(graph, tensors);
await program.run();
const y = await tensors.get('y')?.read();
if (y?.every((value) => value === 7) !== true) throw new Error('the result is wrong');

console.log('working');

/** Runs steps until something else ends the process. */
async function runForever(): Promise<never> {
  for (;;) await program.run();
}

const endings: Readonly<Record<string, () => unknown>> = {
  end: () => undefined,
  'end in the middle of a step': () => void program.run(),
  dispose: () => {
    program.dispose();
    for (const tensor of tensors.values()) tensor.dispose();
    backend.dispose();
  },
  'dispose in the middle of a step': () => {
    void program.run();
    backend.dispose();
  },
  error: async () => {
    await program.run();
    throw new Error('meant to happen');
  },
  'error in a timer': () => {
    setTimeout(() => {
      throw new Error('meant to happen');
    }, 1);
    return runForever();
  },
  rejection: () => {
    void Promise.reject(new Error('meant to happen'));
    return runForever();
  },
  'exit in the middle of a step': () => {
    void program.run();
    process.exit(7);
  },
  'exit in the middle of a read': () => {
    void tensors.get('y')?.read();
    process.exit(7);
  },
  'exit while it compiles': () => {
    const other = new GraphBuilder('other');
    other.output('y', other.op('sigmoid', [other.input('x', { shape: [count], dtype: 'f32' })], {}));
    void backend.compile(other.build(), tensors);
    process.exit(7);
  },
};
const chosen = endings[ending];
if (chosen === undefined) throw new Error(`there is no ending '${ending}'`);
await chosen();
