import {
  DeviceLostError,
  DisposedError,
  GraphBuilder,
  SkiplaneError,
  type Backend,
  type Graph,
  type Tensor,
} from '@skiplane/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGpuBackend } from '../src/index.ts';
import { lowerings } from '../src/lower/index.ts';
import type { Dispatch, Lowering } from '../src/lower/lowering.ts';
import { replaceMethod } from './support/observe.ts';
import { bind, doubling, f32 } from './support/graphs.ts';
import { softwareDrivers } from './software.ts';

const [driver] = await softwareDrivers();
const restores: (() => void)[] = [];
let backend: Backend;
let device: GPUDevice | undefined;

beforeEach(async () => {
  const restore = replaceMethod('GPUDevice', 'createBuffer', (self, create) => (descriptor) => {
    device = self;
    return create(descriptor);
  });
  backend = await createGpuBackend({ software: driver?.software ?? true });
  restores.push(restore);
});
afterEach(() => {
  for (const restore of restores.splice(0)) restore();
  backend.dispose();
});

/** x → relu 'first' → relu 'second' → y. */
function twoOps(): Graph {
  const build = new GraphBuilder('two ops');
  const first = build.op('relu', [build.input('x', f32(8))], {}, 'first');
  build.output('y', build.op('relu', [first], {}, 'second'));
  return build.build();
}

/** Lets the second relu of {@link twoOps} be lowered wrongly. */
function breakSecond(change: (dispatch: Dispatch) => Dispatch): void {
  const table = lowerings as { relu: typeof lowerings.relu };
  const { relu } = table;
  let lowered = 0;
  table.relu = (op): Lowering => {
    const right = relu(op);
    return ++lowered === 2 ? { ...right, dispatches: right.dispatches.map(change) } : right;
  };
  restores.push(() => {
    table.relu = relu;
  });
}

/** Lets the second relu of {@link twoOps} bind so many bytes. */
function bindSecond(size: number): void {
  restores.push(
    replaceMethod('GPUDevice', 'createBindGroup', (_, create) => (descriptor) => {
      if (!descriptor.label?.includes('second')) return create(descriptor);
      const entries = [...descriptor.entries].map(({ binding, resource }) => ({
        binding,
        resource: { ...(resource as GPUBufferBinding), size },
      }));
      return create({ ...descriptor, entries });
    }),
  );
}

const problemOf = async (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => new Error('nothing was thrown'),
    (error: unknown) => error as Error,
  );

const compile = async (): Promise<Error> => problemOf(backend.compile(twoOps(), bind(backend, twoOps())));

describe.runIf(driver)('a wrong kernel call names its op and kernel', () => {
  const named = "relu 'second', kernel relu,";

  test('a constant that the kernel does not have', async () => {
    breakSecond((dispatch) => ({ ...dispatch, constants: { ...dispatch.constants, wrong: 1 } }));
    const problem = await compile();
    expect(problem).toBeInstanceOf(SkiplaneError);
    expect(problem.message).toMatch(
      new RegExp(`^${named} is refused by the device: kernel relu wrong=1 does not compile: .*wrong`, 's'),
    );
    expect(problem).toMatchObject({ code: 'KERNEL', details: { kind: 'relu', label: 'second', kernel: 'relu' } });
  });

  test('operands that are too many, or bound for writing and once more', async () => {
    breakSecond((dispatch) => ({ ...dispatch, bindings: [...dispatch.bindings, ...dispatch.bindings] }));
    expect((await compile()).message).toBe(`${named} binds 4 operands, but takes 2.`);
    restores.splice(-1).forEach((restore) => restore());
    breakSecond(({ bindings: [, y], ...dispatch }) => ({
      ...dispatch,
      bindings: [y, y].flatMap((binding) => binding ?? []),
    }));
    expect((await compile()).message).toBe(`${named} binds 'y' twice, once of them to write.`);
  });

  test('operands that the op does not have', async () => {
    breakSecond((dispatch) => ({
      ...dispatch,
      bindings: [
        { kind: 'input', index: 3 },
        { kind: 'output', index: 0 },
      ],
    }));
    expect((await compile()).message).toBe(`${named} has no input 3.`);
    restores.splice(-1).forEach((restore) => restore());
    breakSecond((dispatch) => ({
      ...dispatch,
      bindings: [
        { kind: 'workspace', index: 0 },
        { kind: 'output', index: 0 },
      ],
    }));
    expect((await compile()).message).toBe(`${named} has no workspace 0.`);
  });

  test.each([[[0, 1, 1]], [[65536, 1, 1]], [[1.5, 1, 1]]] as const)('%j workgroups', async (workgroups) => {
    breakSecond((dispatch) => ({ ...dispatch, workgroups }));
    expect((await compile()).message).toContain(
      `${named} asks for ${workgroups.join('×')} workgroups, but each count must be 1 to 65535.`,
    );
  });

  test('a kernel that the language refuses', async () => {
    restores.push(
      replaceMethod(
        'GPUDevice',
        'createShaderModule',
        (_, create) =>
          ({ code, ...rest }) =>
            create({ ...rest, code: code.replace('@compute', 'nonsense @compute') }),
      ),
    );
    expect((await compile()).message).toMatch(
      /^relu 'first', kernel relu, is refused by the device: kernel relu is refused: .*nonsense/s,
    );
  });

  test('a range that the device refuses to bind', async () => {
    bindSecond(1000);
    const problem = await compile();
    expect(problem.message).toMatch(
      new RegExp(`^${named} is refused by the device: Binding size \\(1000\\) is larger than the size \\(32\\)`, 's'),
    );
    expect(problem).toMatchObject({ code: 'KERNEL', details: { label: 'second' } });
  });

  test('a range that is too short for the kernel', async () => {
    bindSecond(4);
    expect((await compile()).message).toMatch(
      new RegExp(`^${named} is refused by the device: .*bound with size 4 .*at least 16 bytes`, 's'),
    );
  });

  test('a compile that failed leaves the backend usable', async () => {
    breakSecond((dispatch) => ({ ...dispatch, constants: {} }));
    expect((await compile()).message).toContain(named);
    restores.splice(-1).forEach((restore) => restore());
    const tensors = bind(backend, twoOps());
    tensors.get('x')?.write(Float32Array.of(-1, 2, -3, 4, -5, 6, -7, 8));
    const program = await backend.compile(twoOps(), tensors);
    await program.run();
    expect(await tensors.get('y')?.read()).toEqual(Float32Array.of(0, 2, 0, 4, 0, 6, 0, 8));
  });
});

describe.runIf(driver)('a run that the device refuses', () => {
  test('is named at the next read, once', async () => {
    const tensors = bind(backend, doubling());
    const program = await backend.compile(doubling(), tensors);
    const restore = replaceMethod('GPUDevice', 'createCommandEncoder', (self, create) => (descriptor) => {
      const encoder = create(descriptor);
      // A copy that reaches beyond its buffer.
      const small = self.createBuffer({ size: 16, usage: 0xc });
      encoder.copyBufferToBuffer(small, 0, small, 8, 64);
      return encoder;
    });
    await program.run();
    restore();
    const problem = await problemOf(tensors.get('y')?.read() ?? Promise.resolve());
    expect(problem.message).toMatch(/^run of program 'doubling' failed on '.*': /);
    tensors.get('x')?.write(Float32Array.of(1, 1, 1, 1, 1));
    await program.run();
    expect(await tensors.get('y')?.read()).toEqual(Float32Array.of(3, 3, 3, 3, 3));
  });
});

describe.runIf(driver)('a device that is lost', () => {
  test.each(['run', 'read', 'write', 'tensor', 'compile'] as const)('%s says so and names it', async (action) => {
    const tensors = bind(backend, doubling());
    const program = await backend.compile(doubling(), tensors);
    await program.run();
    device?.destroy();
    await device?.lost;
    const actions: Readonly<Record<typeof action, () => unknown>> = {
      run: () => program.run(),
      read: () => tensors.get('y')?.read(),
      write: () => tensors.get('x')?.write(new Float32Array(5)),
      tensor: () => backend.tensor(f32(4)),
      compile: () => backend.compile(doubling(), tensors),
    };
    const problem = await problemOf(Promise.resolve().then(actions[action]));
    expect(problem).toBeInstanceOf(DeviceLostError);
    expect(problem.message).toMatch(
      /^the device '.+' was lost \(destroyed\): .*\. Open a new backend and go on from the last checkpoint\.$/,
    );
    expect(problem).toMatchObject({ code: 'DEVICE_LOST', details: { reason: 'destroyed' } });
    // For good, not once.
    await expect(program.run()).rejects.toThrow(DeviceLostError);
  });

  test('while a step and a read are under way, before anybody has the news', async () => {
    const tensors = bind(backend, doubling());
    const program = await backend.compile(doubling(), tensors);
    const running = program.run();
    const reading = tensors.get('y')?.read() ?? Promise.resolve();
    device?.destroy();
    const late = tensors.get('y')?.read() ?? Promise.resolve();
    const problems = await Promise.all([reading, late].map(problemOf));
    await running;
    for (const problem of problems) expect(problem).toBeInstanceOf(DeviceLostError);
  });

  test('while it compiles', async () => {
    const tensors = bind(backend, doubling());
    const compiling = problemOf(backend.compile(doubling(), tensors));
    device?.destroy();
    expect(await compiling).toBeInstanceOf(DeviceLostError);
  });

  test('a new backend goes on', async () => {
    backend.tensor(f32(4));
    device?.destroy();
    await device?.lost;
    using next = await createGpuBackend({ software: driver?.software ?? true });
    expect(await next.tensor(f32(2), Float32Array.of(1, 2)).read()).toEqual(Float32Array.of(1, 2));
  });
});

describe.runIf(driver)('what has been disposed', () => {
  test('a tensor', async () => {
    const tensors = bind(backend, doubling());
    const program = await backend.compile(doubling(), tensors);
    const y = tensors.get('y') as Tensor;
    const reading = problemOf(y.read());
    y.dispose();
    y.dispose();
    expect(await reading).toBeInstanceOf(DisposedError);
    await expect(y.read()).rejects.toThrow(new DisposedError('read: the tensor f32[5] has been disposed.'));
    expect(() => y.write(new Float32Array(5))).toThrow(
      new DisposedError('write: the tensor f32[5] has been disposed.'),
    );
    await expect(program.run()).rejects.toThrow(new DisposedError("run: the tensor bound to 'y' has been disposed."));
    await expect(backend.compile(doubling(), tensors)).rejects.toThrow(
      "compile: the tensor bound to 'y' has been disposed.",
    );
  });

  test('a program, also while it runs', async () => {
    const tensors = bind(backend, doubling());
    tensors.get('x')?.write(Float32Array.of(1, 2, 3, 4, 5));
    const program = await backend.compile(doubling(), tensors);
    const running = program.run();
    program.dispose();
    program.dispose();
    await running;
    expect(await tensors.get('y')?.read()).toEqual(Float32Array.of(3, 5, 7, 9, 11));
    await expect(program.run()).rejects.toThrow(new DisposedError("run: the program 'doubling' has been disposed."));
  });

  test('a backend, also while a step runs', async () => {
    const tensors = bind(backend, doubling());
    const program = await backend.compile(doubling(), tensors);
    const running = program.run();
    const reading = problemOf(tensors.get('y')?.read() ?? Promise.resolve());
    backend.dispose();
    backend.dispose();
    await running;
    expect(await reading).toBeInstanceOf(DisposedError);
    const gone = 'the gpu backend has been disposed.';
    await expect(program.run()).rejects.toThrow(gone);
    await expect(tensors.get('y')?.read()).rejects.toThrow(new DisposedError(`read: ${gone}`));
    expect(() => tensors.get('x')?.write(new Float32Array(5))).toThrow(new DisposedError(`write: ${gone}`));
    expect(() => backend.tensor(f32(1))).toThrow(new DisposedError(`tensor: ${gone}`));
    await expect(backend.compile(doubling(), tensors)).rejects.toThrow(new DisposedError(`compile: ${gone}`));
    tensors.get('x')?.dispose();
    program.dispose();
  });
});
