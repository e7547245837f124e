import { GraphBuilder, noPadding, samePadding, type Graph, type ValueId } from '../../src/index.ts';
import { dataOf } from './weighted-sum.ts';
import { randomTensor, tensor, type TensorData } from './tensor-data.ts';

const unfused = { residual: false, activation: 'none' } as const;

export interface Network {
  readonly graph: Graph;
  readonly loss: ValueId;
  readonly parameters: readonly ValueId[];
  readonly data: Readonly<Record<string, ArrayLike<number>>>;
}

/** A small classifier: a residual block with a projection at stride 2, pooling, a dense layer, cross-entropy and, with `l2`, penalties. */
export function residualBlock(mode: 'training' | 'inference', l2 = true): Network {
  const build = new GraphBuilder(`block-${mode}`);
  const operands: Record<string, TensorData> = {};
  const parameters: ValueId[] = [];
  const input = (name: string, data: TensorData): ValueId => {
    operands[name] = data;
    return build.input(name, { shape: data.shape, dtype: 'f32' });
  };
  const parameter = (name: string, ...shape: number[]): ValueId => {
    const id = input(name, randomTensor(shape, name));
    parameters.push(id);
    return id;
  };
  const filters: ValueId[] = [];
  const conv = (x: ValueId, name: string, size: number, stride: number, outChannels: number): ValueId => {
    const [, height = 0, width = 0, inChannels = 0] = build.spec(x).shape;
    const strides = [stride, stride] as const;
    const window = { strides, padding: samePadding([height, width], [size, size], strides) };
    const filter = parameter(`${name}/filter`, size, size, inChannels, outChannels);
    filters.push(filter);
    const y = build.op('conv2d', [x, filter], { window, bias: false, ...unfused }, name);
    return build.op('biasAdd', [y, parameter(`${name}/bias`, outChannels)], {}, name);
  };
  const batchNorm = (x: ValueId, name: string): ValueId => {
    const channels = build.spec(x).shape.at(-1) ?? 0;
    const gamma = parameter(`${name}/gamma`, channels);
    const beta = parameter(`${name}/beta`, channels);
    const mean = input(`${name}/mean`, randomTensor([channels], `${name}/mean`));
    const variance = input(`${name}/variance`, randomTensor([channels], `${name}/variance`, 0.5, 2));
    const values = [x, gamma, beta, mean, variance];
    return mode === 'training'
      ? build.op(
          'batchNormTraining',
          values,
          { epsilon: 1e-3, momentum: 0.9, movingVariance: 'biased', ...unfused },
          name,
        )
      : build.op('batchNormInference', values, { epsilon: 1e-3, ...unfused }, name);
  };

  const x = input('x', randomTensor([3, 6, 6, 3], 'x'));
  const labels = input('labels', tensor([3, 5], 0, 1, 0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.6, 0, 0, 0, 1, 0));
  const hidden = build.op('relu', [batchNorm(conv(x, 'conv1', 3, 2, 4), 'bn1')], {});
  const branch = batchNorm(conv(hidden, 'conv2', 3, 1, 4), 'bn2');
  const block = build.op('relu', [build.op('add', [branch, conv(x, 'projection', 1, 2, 4)], {})], {});
  const pooled = build.op('averagePool2d', [block], { window: { size: [3, 3], strides: [3, 3], padding: noPadding } });
  const flat = build.op('reshape', [pooled], { shape: [3, 4] });
  const product = build.op('matMul', [flat, parameter('dense/kernel', 4, 5)], { transposeA: false, transposeB: false });
  const logits = build.op('biasAdd', [product, parameter('dense/bias', 5)], {});
  const total = build.op('reduceSum', [build.op('softmaxCrossEntropy', [logits, labels], { labelSmoothing: 0 })], {});
  const mean = build.op('affine', [total], { scale: 1 / 3, offset: 0 });
  const penalties = l2 ? filters.map((filter) => build.op('l2Penalty', [filter], { scale: 1e-2 })) : [];
  const loss = penalties.reduce((sum, penalty) => build.op('add', [sum, penalty], {}), mean);
  return { graph: build.build(), loss, parameters: [x, ...parameters], data: dataOf(operands) };
}
