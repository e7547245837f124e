import { FormatError, formatShape, sameShape } from '@skiplane/core';
import { modelConfig, type ModelConfig } from '../config.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import { applicationNetwork, applicationWith, type Application } from './keras-applications.ts';
import { kerasNetwork } from './keras-graph.ts';
import type { LayerWeights } from './keras-hdf5.ts';
import type { FileTensor, NetworkOutline } from './model-file.ts';
import { misfit, outlineOf, type LaidOut } from './network-assembler.ts';

/**
 * Finds the network of `keras.applications`, or the family of the Keras example, whose layers weights without a configuration are: the numbers and shapes of its
 * convolutions, batch norms and dense layers must all agree.
 * @throws {FormatError} that lists what does not fit the nearest one
 */
export function matchKerasWeights(layers: readonly LayerWeights[]): NetworkOutline {
  const kinds = sorted(layers);
  const convs = kinds.conv.length;
  const [classes = 0] = kinds.dense.at(-1)?.at(-1)?.shape ?? [];
  const channels = kinds.conv[0]?.[0]?.shape[2] ?? 0;
  const application = applicationWith(convs, kinds.norm.length);
  if (application !== undefined) return applicationOutline(application, layers, kinds, classes);
  const candidates = [
    ['v1', 6, 3],
    ['plain', 6, 1],
    ['v2', 9, 4],
  ] as const;
  const attempts = candidates.flatMap(([family, layersOfUnit, more]) => {
    const n = (convs - more) / layersOfUnit;
    if (!Number.isInteger(n) || n < 1 || classes < 1 || channels < 1) return [];
    const depth = layersOfUnit * n + 2;
    const model = modelConfig(family === 'plain' ? `plain${depth}` : `resnet${depth}${family}`, { classes, channels });
    return [assign(model, kinds)];
  });
  const fit = attempts.find(({ problems }) => problems.length === 0);
  if (fit !== undefined) return outlineOf(fit.model, fit.tensors);
  const nearest = attempts.toSorted((a, b) => a.problems.length - b.problems.length)[0];
  if (nearest !== undefined) throw misfit(nearest.model.name, nearest.problems);
  throw new FormatError(
    `these weights say nothing of their network, and are of no known family: ${convs} convolutions, ${kinds.norm.length} batch norms, ` +
      `${kinds.dense.length} dense layers. Save the whole model (model.save) in place of its weights alone.`,
  );
}

/** By the names of its layers, or by their order where the file has not got them. */
function applicationOutline(
  application: Application,
  layers: readonly LayerWeights[],
  kinds: Kinds,
  classes: number,
): NetworkOutline {
  const { name } = application;
  if (classes < 1) {
    throw new FormatError(
      `these are the weights of ${name} without its top, which gives no classes. Put a head behind it in Keras, and save the whole model.`,
    );
  }
  const network = applicationNetwork(application, classes);
  const named = new Map(layers.map(({ layer, tensors }) => [layer, tensors]));
  if (named.has('conv2_block1_1_conv')) {
    const known = new Set(network.layers.map((layer) => layer.name));
    const strange = layers.filter(({ layer, tensors }) => tensors.length > 0 && !known.has(layer));
    if (strange.length > 0)
      throw misfit(
        name,
        strange.map(({ layer }) => `weights of '${layer}', which is none of its layers`),
      );
    return kerasNetwork(network, (layer) => named.get(layer.name) ?? []);
  }
  const next = { conv: [...kinds.conv], norm: [...kinds.norm], dense: [...kinds.dense] };
  const kindsOf: Readonly<Record<string, keyof Kinds>> = {
    Conv2D: 'conv',
    BatchNormalization: 'norm',
    Dense: 'dense',
  };
  const ordered = new Map(
    network.layers.map((layer) => {
      const kind = kindsOf[layer.className];
      return [layer.name, kind === undefined ? [] : (next[kind].shift() ?? [])];
    }),
  );
  return kerasNetwork(network, (layer) => ordered.get(layer.name) ?? []);
}

type Kinds = Readonly<Record<'conv' | 'norm' | 'dense', readonly (readonly FileTensor[])[]>>;

/** Layers with weights by kind, in the order in which they were made: Keras numbers them. */
function sorted(layers: readonly LayerWeights[]): Kinds {
  const numbered = layers
    .filter(({ tensors }) => tensors.length > 0)
    .map(({ layer, tensors }) => ({
      number: Number(/_(\d+)$/.exec(layer)?.[1] ?? 0),
      tensors: tensors.filter(Boolean),
    }))
    .toSorted((a, b) => a.number - b.number)
    .map(({ tensors }) => tensors);
  const ofRank = (rank: number) => numbered.filter(([first]) => first?.shape.length === rank);
  return { conv: ofRank(4), norm: ofRank(1), dense: ofRank(2) };
}

/** Which kind of layer a parameter belongs to. */
function kindOf(role: string, layer: string): keyof Kinds {
  if (layer.endsWith('dense')) return 'dense';
  return role === 'filter' || role === 'bias' ? 'conv' : 'norm';
}

function assign(model: ModelConfig, kinds: Kinds) {
  const tensors = new Map<string, LaidOut>();
  const problems: string[] = [];
  const queues = { conv: kinds.conv.flat(), norm: kinds.norm.flat(), dense: kinds.dense.flat() };
  for (const { name, shape } of parameterSpecs(model)) {
    const slash = name.lastIndexOf('/');
    const tensor = queues[kindOf(name.slice(slash + 1), name.slice(0, slash))].shift();
    if (tensor === undefined) problems.push(`'${name}' ${formatShape(shape)} is missing`);
    else if (!sameShape(tensor.shape, shape)) {
      problems.push(`'${tensor.name}' is ${formatShape(tensor.shape)}, where '${name}' needs ${formatShape(shape)}`);
    } else tensors.set(name, tensor);
  }
  for (const left of Object.values(queues).flat())
    problems.push(`'${left.name}' ${formatShape(left.shape)} is used by nothing`);
  return { model, tensors, problems };
}
