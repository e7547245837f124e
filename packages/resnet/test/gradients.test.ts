import { gradients, GraphBuilder, inputValues, type Graph, type ValueId } from '@skiplane/core';
import { checkGradients, createReferenceBackend, type ReferenceTensor } from '@skiplane/core/reference';
import { describe, expect, it } from 'vitest';
import { lossGraph, modelConfig, type LossGraph } from '../src/index.ts';
import { oneHot, perturbedParameters, signed } from './support/random.ts';

const batch = 2;

interface Setup extends LossGraph {
  readonly wrt: readonly ValueId[];
  readonly data: Readonly<Record<string, ArrayLike<number>>>;
}

/** The loss of a net on 8×8 images, its trainable parameters, and data for every input. */
function setup(name: string): Setup {
  const config = modelConfig(name, { imageSize: [8, 8] });
  const loss = lossGraph(config, { batch });
  const trainable = new Set(loss.parameters.filter((spec) => spec.trainable).map((spec) => spec.name));
  const wrt = inputValues(loss.graph)
    .filter((value) => trainable.has(value.name ?? ''))
    .map(({ id }) => id);
  expect(wrt).toHaveLength(trainable.size);
  const data = {
    ...Object.fromEntries(perturbedParameters(config)),
    x: signed('x', batch * 8 * 8 * 3),
    labels: oneHot(batch, 10),
  };
  return { ...loss, wrt, data };
}

/** A graph on the reference backend, with open tensors. */
async function open(graph: Graph, data: Setup['data']) {
  const backend = createReferenceBackend();
  const tensors = new Map<string, ReferenceTensor>(
    graph.values.flatMap((value) => (value.name === undefined ? [] : [[value.name, backend.tensor(value)]])),
  );
  const program = await backend.compile(graph, tensors);
  const reset = (): void => Object.entries(data).forEach(([name, values]) => tensors.get(name)?.values.set(values));
  reset();
  return { tensors, reset, run: () => program.run() };
}

function named(graph: Graph, ids: readonly (readonly [string, ValueId])[]): Graph {
  const build = new GraphBuilder(graph.name, graph);
  for (const [name, id] of ids) build.output(name, build.op('affine', [id], { scale: 1, offset: 0 }));
  return build.build();
}

/** Unit vector of random signs. */
function direction(name: string, length: number): Float64Array {
  return signed(`direction/${name}`, length).map((value) => Math.sign(value + 1e-9) / Math.sqrt(length));
}

/**
 * Names of the parameters whose gradient, along one random direction of their whole tensor, differs from the central
 * difference of the loss at every step width.
 */
async function wrongGradients({ graph, loss, wrt, data }: Setup): Promise<readonly string[]> {
  const names = wrt.map((id) => inputValues(graph).find((value) => value.id === id)?.name ?? '');
  const extended = gradients(graph, loss, wrt);
  const analytic = await open(
    named(
      extended.graph,
      names.map((name, i) => [`d/${name}`, extended.gradients[i] ?? -1]),
    ),
    data,
  );
  await analytic.run();
  const forward = await open(named(graph, [['loss', loss]]), data);
  const wrong: string[] = [];
  for (const name of names) {
    const gradient = analytic.tensors.get(`d/${name}`)?.values ?? new Float64Array(0);
    const along = direction(name, gradient.length);
    const expected = gradient.reduce((sum, value, i) => sum + value * (along[i] ?? 0), 0);
    const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
    const at = async (step: number): Promise<number> => {
      forward.reset();
      const values = forward.tensors.get(name)?.values;
      values?.forEach((value, i) => (values[i] = value + step * (along[i] ?? 0)));
      await forward.run();
      return forward.tensors.get('loss')?.values[0] ?? Number.NaN;
    };
    let agrees = false;
    // A relu's kink within reach of one step is out of reach of the next.
    for (const step of [1e-4, 1e-5, 1e-6]) {
      const numeric = ((await at(step)) - (await at(-step))) / (2 * step);
      agrees ||= Math.abs(numeric - expected) <= 1e-5 * norm + 1e-14 / step;
      if (agrees) break;
    }
    if (!agrees) wrong.push(name);
  }
  return wrong;
}

describe('the gradient of every parameter, against finite differences', () => {
  it.each(['resnet8v1', 'resnet11v2', 'plain8', 'he8', 'he8c', 'he11v2'])(
    '%s, by five-point differences',
    async (name) => {
      const { graph, loss, wrt, data } = setup(name);
      const { checked, mismatches, kinks } = await checkGradients(graph, loss, wrt, data, {
        maxElements: 0,
        directions: 1,
      });
      expect(mismatches).toEqual([]);
      expect(checked).toBe(wrt.length);
      expect(kinks.length).toBeLessThan(wrt.length / 4);
    },
    60_000,
  );

  it.each(['resnet20v1', 'resnet29v2', 'he20'])(
    '%s',
    async (name) => {
      expect(await wrongGradients(setup(name))).toEqual([]);
    },
    60_000,
  );
});
