import {
  BindingError,
  DisposedError,
  fuse,
  GraphBuilder,
  ShapeError,
  type Backend,
  type Graph,
  type Tensor,
} from '@skiplane/core';
import { ConformanceError } from './compare.ts';

/** What a backend must do beside arithmetic: one function a rule. */
export type ContractCheck = (backend: Backend) => Promise<void>;

const spec = { shape: [4], dtype: 'f32' } as const;
const data = Float32Array.of(1, -2, 3, -4);

/** y = relu(x) */
function reluGraph(): Graph {
  const build = new GraphBuilder('contract');
  build.output('y', build.op('relu', [build.input('x', spec)], {}, 'tested'));
  return build.build();
}

/** y = relu(2x) and sum += y: ops with a kernel and without, and one that updates a tensor. */
function profiledGraph(): Graph {
  const build = new GraphBuilder('profiled');
  const doubled = build.op('affine', [build.input('x', spec)], { scale: 2, offset: 0 }, 'doubled');
  const square = build.op('reshape', [doubled], { shape: [2, 2] }, 'square');
  const y = build.op('relu', [square], {}, 'positive');
  build.output('y', y);
  build.op('assignAdd', [build.input('sum', { shape: [2, 2], dtype: 'f32' }), y], {}, 'sum');
  return build.build();
}

function bind(backend: Backend): {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly bindings: ReadonlyMap<string, Tensor>;
} {
  const [x, y] = [backend.tensor(spec, data), backend.tensor(spec)];
  return {
    x,
    y,
    bindings: new Map([
      ['x', x],
      ['y', y],
    ]),
  };
}

function expectEqual(actual: ArrayLike<number>, expected: readonly number[], what: string): void {
  if (Array.from(actual).join() !== expected.join()) {
    throw new ConformanceError(`${what}: expected ${expected.join(', ')}, but got ${Array.from(actual).join(', ')}`);
  }
}

/** @throws {ConformanceError} when `act` does not throw an error of the class whose message mentions `mention` */
async function expectError(
  kind: new (message: string) => Error,
  mention: string,
  act: () => unknown,
  what: string,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (error instanceof kind && error.message.includes(mention)) return;
    throw new ConformanceError(`${what}: expected a ${kind.name} that mentions '${mention}', but got ${String(error)}`);
  }
  throw new ConformanceError(`${what}: expected a ${kind.name}, but nothing was thrown`);
}

export const contract: Readonly<Record<string, ContractCheck>> = {
  async 'a new tensor holds zeros, and read gives a copy'(backend) {
    const tensor = backend.tensor(spec);
    const read = await tensor.read();
    expectEqual(read, [0, 0, 0, 0], 'a new tensor');
    read.fill(7);
    expectEqual(await tensor.read(), [0, 0, 0, 0], 'after writing into what read gave');
    tensor.dispose();
  },
  async 'write takes what fits only'(backend) {
    const tensor = backend.tensor(spec, data);
    await expectError(ShapeError, '', () => tensor.write(new Float32Array(3)), 'write of 3 elements into 4');
    await expectError(ShapeError, '', () => tensor.write(new Int32Array(4)), 'write of i32 into f32');
    expectEqual(await tensor.read(), [...data], 'after refused writes');
    tensor.dispose();
  },
  async 'compile lists every binding at fault'(backend) {
    const wrong = backend.tensor({ shape: [3], dtype: 'f32' });
    const compile = () => backend.compile(reluGraph(), new Map([['x', wrong]]));
    await expectError(BindingError, "'y'", compile, 'compile without a tensor for y');
    await expectError(BindingError, "'x'", compile, 'compile with a tensor for x that does not fit');
    wrong.dispose();
  },
  async 'calls take effect in call order'(backend) {
    const { x, y, bindings } = bind(backend);
    const program = await backend.compile(reluGraph(), bindings);
    const done = program.run();
    expectEqual(await y.read(), [1, 0, 3, 0], 'read right after run');
    await done;
    x.write(Float32Array.of(-1, 2, -3, 4));
    await program.run();
    x.write(new Float32Array(4));
    expectEqual(await y.read(), [0, 2, 0, 4], 'read after the inputs were overwritten');
    program.dispose();
    for (const tensor of [x, y]) tensor.dispose();
  },
  async 'dispose right after run lets the run finish'(backend) {
    const { x, y, bindings } = bind(backend);
    const program = await backend.compile(reluGraph(), bindings);
    const done = program.run();
    program.dispose();
    x.dispose();
    // Takes the memory that has become free, if it has.
    const others = Array.from({ length: 8 }, () => backend.tensor(spec, Float32Array.of(9, 9, 9, 9)));
    await done;
    expectEqual(await y.read(), [1, 0, 3, 0], 'the run before dispose');
    for (const tensor of [y, ...others]) tensor.dispose();
  },
  async 'two programs share tensors'(backend) {
    const { x, y, bindings } = bind(backend);
    const [first, second] = [
      await backend.compile(reluGraph(), bindings),
      await backend.compile(reluGraph(), bindings),
    ];
    await first.run();
    first.dispose();
    y.write(new Float32Array(4));
    await second.run();
    expectEqual(await y.read(), [1, 0, 3, 0], 'the second program, after the first was disposed');
    second.dispose();
    for (const tensor of [x, y]) tensor.dispose();
  },
  async 'a disposed tensor makes run throw and is named'(backend) {
    const { x, y, bindings } = bind(backend);
    const program = await backend.compile(reluGraph(), bindings);
    x.dispose();
    await expectError(DisposedError, 'x', () => program.run(), 'run with a disposed tensor');
    await expectError(DisposedError, '', () => x.read(), 'read of a disposed tensor');
    await expectError(DisposedError, '', () => x.write(data), 'write to a disposed tensor');
    x.dispose();
    program.dispose();
    program.dispose();
    await expectError(DisposedError, '', () => program.run(), 'run of a disposed program');
    y.dispose();
  },
  async 'the report lists the ops that run, with their kernels'(backend) {
    const { x, y, bindings } = bind(backend);
    const program = await backend.compile(reluGraph(), bindings);
    const { ops } = program.report;
    expectEqual([ops.length], [fuse(reluGraph()).ops.length], 'number of ops in the report');
    const [op] = ops;
    if (op?.kind !== 'relu' || op.label !== 'tested' || op.kernels.length === 0) {
      throw new ConformanceError(`the report of one relu labelled 'tested' is ${JSON.stringify(ops)}`);
    }
    if (backend.info.threads < 1 || backend.info.device === '') {
      throw new ConformanceError(`info must name a device and its threads, but is ${JSON.stringify(backend.info)}`);
    }
    program.dispose();
    for (const tensor of [x, y]) tensor.dispose();
  },
  async 'profile times every op, with the results of run'(backend) {
    const graph = profiledGraph();
    const square = { shape: [2, 2], dtype: 'f32' } as const;
    const [x, y, sum] = [backend.tensor(spec, data), backend.tensor(square), backend.tensor(square)];
    const program = await backend.compile(graph, new Map(Object.entries({ x, y, sum })));
    await program.run();
    const [ran, firstSum] = [Array.from(await y.read()), Array.from(await sum.read())];
    y.write(new Float32Array(4));
    const { ops } = await program.profile();
    expectEqual(await y.read(), ran, 'y after profile, as after run');
    // An update shows that every op is executed once.
    expectEqual(
      await sum.read(),
      firstSum.map((value) => 2 * value),
      'a sum over the runs, after run and profile',
    );
    const described = ops.map(({ kind, label }) => `${kind} ${label}`);
    const reported = program.report.ops.map(({ kind, label }) => `${kind} ${label}`);
    if (described.join() !== reported.join()) {
      throw new ConformanceError(
        `profile must list the ops of the report, ${reported.join()}; got ${described.join()}`,
      );
    }
    const wrong = ops.filter(({ milliseconds }) => !(milliseconds >= 0 && milliseconds < 60_000));
    if (wrong.length > 0) throw new ConformanceError(`these are no times of ops: ${JSON.stringify(wrong)}`);
    program.dispose();
    for (const tensor of [x, y, sum]) tensor.dispose();
    await expectError(DisposedError, '', () => program.profile(), 'profile of a disposed program');
  },
};
