import { GraphBuilder, type Backend, type ValueId } from '@skiplane/core';
import { repeat } from './repeat.ts';

/** What this device reaches in the two plainest things, which other ops can be held against. */
export interface Peaks {
  /** A product of two square matrices. */
  readonly matrixProduct: {
    readonly size: number;
    readonly kernels: readonly string[];
    readonly gigaflopsPerSecond: number;
  };
  /** A copy that no cache holds; what is read and what is written both count. */
  readonly copy: { readonly bytes: number; readonly kernels: readonly string[]; readonly gigabytesPerSecond: number };
}

/** @param seconds  for each of the two */
export async function measurePeaks(backend: Backend, seconds: number): Promise<Peaks> {
  return { matrixProduct: await measureProduct(backend, seconds), copy: await measureCopy(backend, seconds) };
}

const size = 512;

async function measureProduct(backend: Backend, seconds: number): Promise<Peaks['matrixProduct']> {
  const attrs = { transposeA: false, transposeB: false };
  const { kernels, milliseconds } = await timeOp(backend, seconds, [size, size], 2, (build, operands) =>
    build.op('matMul', operands, attrs),
  );
  return { size, kernels, gigaflopsPerSecond: (2 * size ** 3) / milliseconds / 1e6 };
}

/** 32 MiB: with its copy twice as much as the caches of most processors. */
const copied = 2 ** 23;

async function measureCopy(backend: Backend, seconds: number): Promise<Peaks['copy']> {
  const { kernels, milliseconds } = await timeOp(backend, seconds, [copied], 1, (build, operands) =>
    build.op('affine', operands, { scale: 1, offset: 0 }),
  );
  const bytes = copied * 4;
  return { bytes, kernels, gigabytesPerSecond: (2 * bytes) / milliseconds / 1e6 };
}

/** The median over runs in the given time (the clock of one thread may see little of a run that others do) of an op whose operands and result are of one shape. */
async function timeOp(
  backend: Backend,
  seconds: number,
  shape: readonly number[],
  operands: number,
  addOp: (build: GraphBuilder, operands: readonly ValueId[]) => ValueId,
) {
  const spec = { shape, dtype: 'f32' } as const;
  const build = new GraphBuilder('peak');
  const names = Array.from({ length: operands }, (_, i) => `operand ${i}`);
  const inputs = names.map((name) => build.input(name, spec));
  build.output('y', addOp(build, inputs));
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7) % 32) / 32 - 0.5);
  const tensors = [...names, 'y'].map((name) => [name, backend.tensor(spec, name === 'y' ? undefined : data)] as const);
  try {
    using program = await backend.compile(build.build(), new Map(tensors));
    await program.run();
    const profiles = await repeat(seconds, () => program.profile());
    const times = profiles.map(({ ops }) => ops.reduce((sum, { milliseconds }) => sum + milliseconds, 0));
    return {
      kernels: profiles[0]?.ops.flatMap((op) => op.kernels) ?? [],
      milliseconds: times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0,
    };
  } finally {
    for (const [, tensor] of tensors) tensor.dispose();
  }
}
