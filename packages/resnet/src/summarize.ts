import { opDef, valueOf, type Graph, type Op, type OpKind } from '@skiplane/core';
import { modelType } from './config.ts';
import { isLayerGraph, type Model } from './model.ts';
import { inferenceGraph } from './graphs/inference.ts';
import { countParameters, type ParameterCounts } from './parameters.ts';

export interface LayerSummary {
  readonly name: string;
  /** Such as `conv2d`, `batchNorm`, `relu`, `add`, `averagePool2d`, `flatten`, `dense`. */
  readonly kind: string;
  /** Of one image. */
  readonly outputShape: readonly number[];
  readonly parameters: number;
  /** Of convolutions and dense layers, for one image. */
  readonly multiplyAdds: number;
}

export interface ModelSummary {
  readonly name: string;
  /** Such as `ResNet20v1`. */
  readonly type: string;
  readonly layers: readonly LayerSummary[];
  readonly parameters: ParameterCounts;
  /** For one image. A training step costs about three times that. */
  readonly multiplyAdds: number;
}

/** A model layer by layer, with its parameters and its work for one image. */
export function summarize(model: Model): ModelSummary {
  const { graph, layers, parameters } = inferenceGraph(model, { batch: 1 });
  const work = multiplyAddsByLabel(graph);
  const rows = layers.map((layer): LayerSummary => ({
    name: layer.name,
    kind: layer.kind,
    outputShape: layer.outputShape,
    parameters: countParameters(layer.parameters).total,
    multiplyAdds: multiplying.has(layer.kind) ? (work.get(layer.name) ?? 0) : 0,
  }));
  return {
    name: model.name,
    type: isLayerGraph(model) ? model.name : modelType(model),
    layers: rows,
    parameters: countParameters(parameters),
    multiplyAdds: rows.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0),
  };
}

const multiplying: ReadonlySet<string> = new Set(['conv2d', 'quantizedConv2d', 'dense']);

function multiplyAddsByLabel(graph: Graph): ReadonlyMap<string, number> {
  const work = new Map<string, number>();
  for (const op of graph.ops) {
    if (op.kind === 'conv2d' || op.kind === 'quantizedConv2d' || op.kind === 'matMul')
      work.set(op.label, (work.get(op.label) ?? 0) + flops(graph, op) / 2);
  }
  return work;
}

function flops<K extends OpKind>(graph: Graph, op: Op<K>): number {
  const specs = (ids: readonly number[]) => ids.map((id) => valueOf(graph, id));
  return opDef<K>(op.kind).cost(specs(op.inputs), specs(op.outputs), op.attrs).flops;
}
