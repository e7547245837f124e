import { evaluate, valueOf } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { describe, expect, it } from 'vitest';
import { initialParameters, l2Penalty, modelConfig, parameterSpecs, trainingGraph } from '../src/index.ts';
import { oneHot, signed } from './support/random.ts';

describe('initial parameters', () => {
  it.each([
    ['resnet20v1', 0.1568],
    ['resnet32v1', 0.2464],
    ['resnet56v1', 0.4256],
    ['resnet110v1', 0.8288],
    ['resnet20v2', 0.4384],
    ['resnet29v2', 0.6112],
    ['resnet56v2', 1.1296],
  ])('%s starts with an L2 penalty near %f, as he_normal implies', (name, expected) => {
    const config = modelConfig(name);
    const penalty = l2Penalty(parameterSpecs(config), initialParameters(config, 1));
    expect(Math.abs(penalty - expected)).toBeLessThan(0.01 * expected);
  });

  it('are zero biases, batch norms that change nothing, and filters of variance 2/fanIn', () => {
    const parameters = initialParameters(modelConfig('resnet20v1'), 3);
    expect([...new Set(parameters.get('stem/conv/bias'))]).toEqual([0]);
    expect([...new Set(parameters.get('stem/bn/gamma'))]).toEqual([1]);
    expect([...new Set(parameters.get('stem/bn/beta'))]).toEqual([0]);
    expect([...new Set(parameters.get('stem/bn/mean'))]).toEqual([0]);
    expect([...new Set(parameters.get('stem/bn/variance'))]).toEqual([1]);
    const filter = parameters.get('stage3/block3/conv2/filter') ?? new Float32Array();
    const variance = filter.reduce((sum, value) => sum + value * value, 0) / filter.length;
    expect(variance / (2 / (9 * 64))).toBeCloseTo(1, 1);
  });

  it('depend on seed and name alone', () => {
    const first = initialParameters(modelConfig('resnet20v1'), 1);
    const deeper = initialParameters(modelConfig('resnet32v1'), 1);
    const other = initialParameters(modelConfig('resnet20v1'), 2);
    const name = 'stage1/block2/conv1/filter';
    expect(deeper.get(name)).toEqual(first.get(name));
    expect(other.get(name)).not.toEqual(first.get(name));
    expect(first.get('stage1/block2/conv2/filter')).not.toEqual(first.get(name));
  });
});

describe('the first loss', () => {
  it.each([
    ['resnet8v1', 8],
    ['resnet11v2', 8],
  ])('of %s is near ln 10 plus the L2 penalty', async (name, batch) => {
    const config = modelConfig(name, { imageSize: [8, 8] });
    const parameters = initialParameters(config, 1);
    const { graph } = trainingGraph(config, { batch });
    const x = Float32Array.from(signed('x', batch * 8 * 8 * 3), (value) => value / 2);
    const zeros = Object.fromEntries(
      graph.values.flatMap((value) =>
        value.name?.startsWith('optimizer/') || value.name?.startsWith('metrics/')
          ? [[value.name, new Float32Array(valueOf(graph, value.id).shape.reduce((a, b) => a * b, 1))]]
          : [],
      ),
    );
    const result = await evaluate(createReferenceBackend(), graph, {
      ...Object.fromEntries(parameters),
      ...zeros,
      x,
      labels: oneHot(batch, 10),
      stepSize: Float32Array.of(0),
    });
    const loss = (result['metrics/loss']?.[0] ?? Number.NaN) / batch;
    const penalty = l2Penalty(parameterSpecs(config), parameters);
    expect(loss).toBeGreaterThan(1.8 + penalty);
    expect(loss).toBeLessThan(3.6 + penalty);
    // A rate of zero leaves the weights as they are; the moving statistics move by one percent of the batch's.
    expect(result['stem/conv/filter']).toEqual(parameters.get('stem/conv/filter'));
    expect(Math.max(...(result['stem/bn/variance'] ?? []))).toBeLessThan(1);
    expect(Math.min(...(result['stem/bn/variance'] ?? []))).toBeGreaterThanOrEqual(0.99);
  });
});
