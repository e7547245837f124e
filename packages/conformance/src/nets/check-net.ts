import { adamStepSize, fuse, GraphBuilder, gradients, valueOf, type Graph, type ValueId } from '@skiplane/core';
import { boundGraph, resultsOf, runOracle, type OracleValues } from '@skiplane/core/reference';
import { checkGraph, runVariants } from '../check-graph.ts';
import { ConformanceError } from '../compare.ts';
import { fillData } from '../data.ts';
import type { GraphCase } from '../op-graph.ts';
import type { Subject } from '../subject.ts';
import type { Net, Parameter } from './layers.ts';

/** Relative error, in the Euclidean norm, that a gradient or an updated tensor of a whole net may have after one step. */
const relativeError = 1e-5;

/** How near to zero no operand of a relu may come: rounding must not decide which way a mask falls. */
const reluMargin = 1e-5;

/** The net with the gradients of some parameters, as outputs `gradient/<parameter>`. */
export function withGradients(net: Net, wanted: readonly Parameter[]): GraphCase {
  const found = gradients(
    net.graph,
    net.loss,
    wanted.map(({ id }) => id),
  );
  const build = new GraphBuilder(net.graph.name, found.graph);
  wanted.forEach(({ name }, i) => build.output(`gradient/${name}`, found.gradients[i] ?? -1));
  return { graph: build.build(), inputs: net.inputs };
}

/** The net's whole training step: gradients that nobody names, and Adam on every parameter, in the middle of a training. */
export function trainingStep(net: Net): GraphCase {
  const found = gradients(
    net.graph,
    net.loss,
    net.parameters.map(({ id }) => id),
  );
  const build = new GraphBuilder(net.graph.name, found.graph);
  const inputs = new Map(net.inputs);
  const input = (name: string, shape: readonly number[], data: Float32Array): ValueId => {
    inputs.set(name, data);
    return build.input(name, { shape, dtype: 'f32' });
  };
  const stepSize = input('stepSize', [], Float32Array.of(adamStepSize(1e-3, 7, 0.9, 0.999)));
  net.parameters.forEach(({ name, id }, i) => {
    const { shape } = valueOf(found.graph, id);
    const m = input(`m/${name}`, shape, fillData(shape, { kind: 'uniform', seed: 2 * i + 1 }));
    const v = input(`v/${name}`, shape, fillData(shape, { kind: 'positive', seed: 2 * i + 2 }));
    build.op('adam', [id, m, v, found.gradients[i] ?? -1, stepSize], { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }, name);
  });
  return { graph: build.build(), inputs };
}

/** Runs a net fused and not, on all variants; every result within 1e-5 in norm, and what one op alone may be off. */
export async function checkNet(subject: Subject, family: string, { graph, inputs }: GraphCase): Promise<void> {
  for (const fused of [false, true]) {
    subject.tally.count(family);
    const executed = fused ? fuse(graph) : graph;
    const values = await runOracle(executed, inputs);
    if (!fused) expectMargin(graph, values);
    const { results } = await runVariants(subject, { family, graph, inputs, fuse: fused, about: [] });
    // A gradient that cancels, such as that of a bias before batch norm, has no relative precision: its own op's bound is added.
    const { error } = await boundGraph(executed, values, { operands: 'local' });
    for (const [name, id] of resultsOf(executed)) {
      const expected = values.get(id) ?? new Float64Array();
      const actual = results.get(name) ?? new Float32Array();
      const allowed = relativeError * norm(expected) + norm(error.get(id) ?? new Float64Array());
      const distance = norm(expected.map((value, i) => value - (actual[i] as number)));
      subject.tally.ratio(family, distance === 0 ? 0 : distance / allowed);
      if (distance <= allowed) continue;
      throw new ConformanceError(
        `${family} on ${subject.name}, fuse: ${fused}: '${name}' is ${distance.toPrecision(3)} from the oracle in norm, ` +
          `but may be ${allowed.toPrecision(3)} (its own norm is ${norm(expected).toPrecision(3)}).`,
      );
    }
  }
}

function expectMargin(graph: Graph, values: OracleValues): void {
  for (const op of graph.ops) {
    if (op.kind !== 'relu') continue;
    const nearest = (values.get(op.inputs[0] ?? -1) ?? new Float64Array()).reduce(
      (least, value) => Math.min(least, Math.abs(value)),
      Infinity,
    );
    if (nearest < reluMargin) {
      throw new ConformanceError(
        `net '${graph.name}': an operand of a relu is ${nearest}, nearer to zero than ${reluMargin}; take another seed.`,
      );
    }
  }
}

const norm = (values: Float64Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** Every subset of a small net's gradients, element by element. */
export async function checkSubsets(subject: Subject, family: string, net: Net): Promise<void> {
  for (let subset = 1; subset < 2 ** net.parameters.length; subset++) {
    const wanted = net.parameters.filter((_, i) => (subset >> i) % 2 === 1);
    const about = [`gradients of ${wanted.map(({ name }) => name).join(', ')}`];
    const { graph, inputs } = withGradients(net, wanted);
    for (const fused of [false, true]) await checkGraph(subject, { family, graph, inputs, fuse: fused, about });
  }
}
