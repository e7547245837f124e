import { foldBatchNorm, fuse } from '@skiplane/core';
import { describe, expect, it } from 'vitest';
import { inferenceGraph, modelConfig, plannedMemory, trainingGraph } from '../src/index.ts';

describe('plannedMemory', () => {
  const config = modelConfig('resnet20v1');

  it('knows parameters and moments to the byte', () => {
    const training = plannedMemory(config, { batch: 32, mode: 'training' });
    expect(training.parameterBytes).toBe(274_442 * 4);
    expect(training.optimizerBytes).toBe(2 * 273_066 * 4);
    expect(training.inputBytes).toBe(4 * (32 * 3072 + 32 * 10 + 3));
    expect(training.totalBytes).toBe(
      training.parameterBytes + training.optimizerBytes + training.inputBytes + training.arenaBytes,
    );
  });

  it('leaves folded batch norms out of inference', () => {
    const inference = plannedMemory(config, { batch: 32, mode: 'inference' });
    // Every batch norm of v1 follows a convolution, so all four of its vectors go.
    expect(inference.parameterBytes).toBe((274_442 - 4 * (16 * 7 + 32 * 6 + 64 * 6)) * 4);
    expect(inference.optimizerBytes).toBe(0);
    expect(inference.inputBytes).toBe(4 * (32 * 3072 + 2 * 32 * 10));
  });

  it('needs far less for inference than for training, and grows with the batch', () => {
    const [small, large] = [32, 128].map((batch) => plannedMemory(config, { batch, mode: 'training' }));
    const inference = plannedMemory(config, { batch: 32, mode: 'inference' });
    const activation = 32 * 32 * 32 * 16 * 4;
    expect(inference.arenaBytes).toBeGreaterThanOrEqual(2 * activation);
    expect(inference.arenaBytes).toBeLessThanOrEqual(4 * activation);
    expect(small?.arenaBytes).toBeGreaterThan(10 * activation);
    // What does not depend on the batch, such as gradients of filters, keeps it a little below four.
    const growth = (large?.arenaBytes ?? 0) / (small?.arenaBytes ?? 1);
    expect(growth).toBeGreaterThan(3.8);
    expect(growth).toBeLessThanOrEqual(4);
  });

  it('is quick for the deepest nets', () => {
    const start = performance.now();
    expect(plannedMemory(modelConfig('resnet110v1'), { batch: 32, mode: 'training' }).totalBytes).toBeGreaterThan(1e8);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('plans graphs that can be fused', () => {
    for (const name of ['resnet8v1', 'resnet11v2', 'plain8']) {
      const net = modelConfig(name);
      expect(fuse(trainingGraph(net, { batch: 2 }).graph).ops.length).toBeLessThan(
        trainingGraph(net, { batch: 2 }).graph.ops.length,
      );
      const kinds = fuse(foldBatchNorm(inferenceGraph(net, { batch: 2 }).graph).graph).ops.map(({ kind }) => kind);
      // The dense layer's alone has no convolution to ride in.
      expect(kinds.filter((kind) => kind === 'biasAdd')).toHaveLength(1);
    }
  });
});
