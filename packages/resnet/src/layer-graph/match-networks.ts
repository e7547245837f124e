import { SkiplaneError, type Graph, type Op, type ValueId } from '@skiplane/core';
import { sortedJson } from '../checkpoint/encode.ts';
import { inferenceGraph } from '../graphs/inference.ts';
import type { ModelGraph } from '../graphs/model-graph.ts';
import type { Model } from '../model.ts';

/**
 * The parameters of one network by those of another that computes the same: from the logits back, op by op, with the same
 * attributes in float32 and shapes; names count for nothing. In the order of the first network's parameters.
 * Undefined where they differ.
 */
export function matchNetworks(a: Model, b: Model): ReadonlyMap<string, string> | undefined {
  if (a.classes !== b.classes || a.channels !== b.channels || a.imageSize.join() !== b.imageSize.join())
    return undefined;
  try {
    const [graphA, graphB] = [inferenceGraph(a, { batch: 1 }), inferenceGraph(b, { batch: 1 })];
    const names = new Matcher(graphA, graphB).match();
    return names && new Map(graphA.parameters.map(({ name }) => [name, names.get(name) ?? '']));
  } catch (error) {
    if (error instanceof SkiplaneError) return undefined;
    throw error;
  }
}

class Matcher {
  readonly #a: Side;
  readonly #b: Side;
  readonly #pairs = new Map<ValueId, ValueId>();
  readonly #names = new Map<string, string>();

  constructor(a: ModelGraph, b: ModelGraph) {
    this.#a = new Side(a);
    this.#b = new Side(b);
  }

  match(): ReadonlyMap<string, string> | undefined {
    const open: (readonly [ValueId, ValueId])[] = [[this.#a.logits, this.#b.logits]];
    for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
      const [a, b] = pair;
      const known = this.#pairs.get(a);
      if (known !== undefined && known !== b) return undefined;
      if (known !== undefined) continue;
      this.#pairs.set(a, b);
      const inputs = this.#inputs(a, b);
      if (inputs === undefined) return undefined;
      open.push(...inputs);
    }
    const all = this.#names.size === this.#b.parameters && this.#names.size === this.#a.parameters;
    return all && new Set(this.#names.values()).size === this.#names.size ? this.#names : undefined;
  }

  /** What two values are computed from, pair by pair; undefined where they are computed differently. */
  #inputs(a: ValueId, b: ValueId): readonly (readonly [ValueId, ValueId])[] | undefined {
    const [opA, opB] = [this.#a.sources.get(a), this.#b.sources.get(b)];
    if (opA === undefined || opB === undefined) return opA === opB && this.#sameLeaf(a, b) ? [] : undefined;
    const same =
      opA.kind === opB.kind && opA.inputs.length === opB.inputs.length && attributes(opA) === attributes(opB);
    return same ? opA.inputs.map((input, i) => [input, opB.inputs[i] as ValueId] as const) : undefined;
  }

  #sameLeaf(a: ValueId, b: ValueId): boolean {
    const [leafA, leafB] = [this.#a.graph.values[a], this.#b.graph.values[b]];
    const [nameA = '', nameB = ''] = [leafA?.name, leafB?.name];
    if (leafA?.shape.join() !== leafB?.shape.join()) return false;
    if (nameA === 'x' || nameB === 'x') return nameA === nameB;
    this.#names.set(nameA, nameB);
    return true;
  }
}

class Side {
  readonly graph: Graph;
  readonly parameters: number;
  readonly sources: ReadonlyMap<ValueId, Op>;
  readonly logits: ValueId;

  constructor({ graph, parameters }: ModelGraph) {
    this.graph = graph;
    this.parameters = parameters.length;
    this.sources = new Map(graph.ops.flatMap((op) => op.outputs.map((output) => [output, op] as const)));
    this.logits = graph.values.find(({ name }) => name === 'logits')?.id ?? -1;
  }
}

/** Formats keep numbers as float32. */
function attributes({ attrs }: Op): string {
  return sortedJson(attrs, Math.fround);
}
