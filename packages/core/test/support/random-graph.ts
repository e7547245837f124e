import * as fc from 'fast-check';
import { GraphBuilder, type Graph, type ValueId } from '../../src/index.ts';

interface Step {
  readonly action: 'relu' | 'add' | 'multiply' | 'reshape' | 'reduceSum' | 'fill' | 'batchNorm' | 'assignAdd';
  readonly first: number;
  readonly second: number;
  readonly size: number;
  readonly named: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  action: fc.constantFrom('relu', 'add', 'multiply', 'reshape', 'reduceSum', 'fill', 'batchNorm', 'assignAdd'),
  first: fc.nat(),
  second: fc.nat(),
  size: fc.integer({ min: 1, max: 40 }),
  named: fc.boolean(),
});

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;

/** Graphs with chains, forks and joins, values used twice, views, views of views, updates and ops of several results. */
export const randomGraph: fc.Arbitrary<Graph> = fc.array(step, { minLength: 1, maxLength: 40 }).map((steps) => {
  const build = new GraphBuilder('random');
  const pool: ValueId[] = [build.input('a', f32(16)), build.input('b', f32(4, 4))];
  const pick = (n: number): ValueId => pool[n % pool.length] ?? 0;
  const count = (id: ValueId): number => build.spec(id).shape.reduce((product, size) => product * size, 1);
  steps.forEach(({ action, first, second, size, named }, index) => {
    const x = pick(first);
    const { shape } = build.spec(x);
    // An operand of x's shape: another value of the pool, or x itself when there is none.
    const alike = pool.filter((id) => build.spec(id).shape.join() === shape.join());
    const y = alike[second % alike.length] ?? x;
    const channels = shape.at(-1) ?? 1;
    const outputs = ((): readonly ValueId[] => {
      switch (action) {
        case 'relu':
        case 'reduceSum':
          return build.opOutputs(action, [x], {});
        case 'add':
        case 'multiply':
          return build.opOutputs(action, [x, y], {});
        case 'reshape':
          return build.opOutputs('reshape', [x], { shape: [1, count(x)] });
        case 'fill':
          return build.opOutputs('fill', [], { shape: [size], value: index });
        case 'assignAdd':
          return build.opOutputs('assignAdd', [build.input(`state${index}`, f32(...shape)), x], {});
        case 'batchNorm': {
          const vector = (name: string): ValueId => build.input(`${name}${index}`, f32(channels));
          const operands = [x, vector('gamma'), vector('beta'), vector('mean'), vector('variance')];
          if (shape.length === 0) return build.opOutputs('relu', [x], {});
          const attrs = {
            epsilon: 1e-3,
            momentum: 0.9,
            movingVariance: 'biased',
            residual: false,
            activation: 'none',
          } as const;
          return build.opOutputs('batchNormTraining', operands, attrs);
        }
        default:
          return action satisfies never;
      }
    })();
    pool.push(...outputs);
    const [result = 0] = outputs;
    if (named && action !== 'reshape' && action !== 'assignAdd') build.output(`result${index}`, result);
  });
  return build.build();
});
