import { GraphBuilder, type Backend } from '@skiplane/core';
import { repeat } from './repeat.ts';

/** Speed of a product of two square matrices: what other ops can be held against. */
export interface MatrixProduct {
  readonly size: number;
  readonly kernels: readonly string[];
  readonly gigaflopsPerSecond: number;
}

const size = 512;

/** The fastest of the products that are done in the given time. */
export async function measureMatrixProduct(backend: Backend, seconds: number): Promise<MatrixProduct> {
  const matrix = { shape: [size, size], dtype: 'f32' } as const;
  const build = new GraphBuilder('matrix product');
  const operands = [build.input('a', matrix), build.input('b', matrix)] as const;
  build.output('y', build.op('matMul', [...operands], { transposeA: false, transposeB: false }));
  const data = Float32Array.from({ length: size * size }, (_, i) => ((i * 7) % 32) / 32 - 0.5);
  using a = backend.tensor(matrix, data);
  using b = backend.tensor(matrix, data);
  using y = backend.tensor(matrix);
  const bindings = new Map(Object.entries({ a, b, y }));
  using program = await backend.compile(build.build(), bindings);
  await program.run();
  const profiles = await repeat(seconds, () => program.profile());
  const fastest = Math.min(...profiles.map(({ ops }) => ops.reduce((sum, { milliseconds }) => sum + milliseconds, 0)));
  const kernels = profiles[0]?.ops.flatMap((op) => op.kernels) ?? [];
  return { size, kernels, gigaflopsPerSecond: (2 * size ** 3) / fastest / 1e6 };
}
