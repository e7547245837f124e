import { byteLength, foldBatchNorm, fuse, inputValues, planMemory, type Value } from '@skiplane/core';
import type { Model } from './model.ts';
import { inferenceGraph } from './graphs/inference.ts';
import { trainingGraph } from './graphs/training.ts';

/** Device memory of a program in bytes, as planned; a backend's own scratch and packed filters come on top. */
export interface PlannedMemory {
  /** Weights and moving statistics. */
  readonly parameterBytes: number;
  /** Adam's two moments; 0 for inference. */
  readonly optimizerBytes: number;
  /** Images, labels, scalars, and outputs that the caller reads. */
  readonly inputBytes: number;
  /** Values between ops, which share one arena by their lifetimes. */
  readonly arenaBytes: number;
  readonly totalBytes: number;
}

export interface PlannedMemoryOptions {
  readonly batch: number;
  readonly mode: 'training' | 'inference';
}

/** Alignment of the arena's blocks, that of a cache line. */
const alignment = 64;

/** Plans a model's training step, or its inference with folded batch norms, without running anything. */
export function plannedMemory(model: Model, { batch, mode }: PlannedMemoryOptions): PlannedMemory {
  const built = mode === 'training' ? trainingGraph(model, { batch }) : inferenceGraph(model, { batch });
  const graph = fuse(mode === 'training' ? built.graph : foldBatchNorm(built.graph).graph);
  const parameterNames = new Set(built.parameters.map(({ name }) => name));
  const named = graph.values.filter(({ name }) => name !== undefined);
  const parameters = inputValues(graph).filter(({ name = '' }) => parameterNames.has(name));
  const optimizer = named.filter(({ name = '' }) => name.startsWith('optimizer/'));
  const parameterBytes = bytesOf(parameters);
  const optimizerBytes = bytesOf(optimizer);
  const inputBytes = bytesOf(named) - parameterBytes - optimizerBytes;
  const { arenaBytes } = planMemory(graph, { alignment });
  return {
    parameterBytes,
    optimizerBytes,
    inputBytes,
    arenaBytes,
    totalBytes: parameterBytes + optimizerBytes + inputBytes + arenaBytes,
  };
}

function bytesOf(values: readonly Value[]): number {
  return values.reduce((sum, value) => sum + byteLength(value), 0);
}
