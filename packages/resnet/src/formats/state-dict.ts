import { FormatError, formatShape, sameShape, ShapeError } from '@skiplane/core';
import type { Architecture } from '../architecture/architecture.ts';
import { residualNet } from '../architecture/residual-net.ts';
import { modelConfig } from '../config.ts';
import { familyWith } from '../families/family-with.ts';
import { depthOf, familyOf } from '../families/index.ts';
import { layersOf } from '../layer-graph/layers-of.ts';
import type { Model, ModelShape } from '../model.ts';
import { NetworkBuilder } from '../network-builder.ts';
import type { ParameterSpec } from '../parameters.ts';
import type { FileTensor, NetworkOutline } from './model-file.ts';
import { misfit, outlineOf, type LaidOut } from './network-assembler.ts';
import { TensorNames } from './tensor-names.ts';
import { torchArchitecture, type TorchNetwork } from './torch-architecture.ts';
import { torchNamings, type TorchNaming } from './torch-naming.ts';
import { fileNameOf } from './torch-parameter-names.ts';
import { filterFromOihw, kernelFromRows } from './transpose.ts';

/** Batch norms of PyTorch, unless they are told otherwise; weights do not say. */
const epsilon = 1e-5;

/** What wrappers put in front of every name. */
const prefixes = ['module.', '_orig_mod.', 'model.', 'net.', 'backbone.', 'resnet.'];

/**
 * The residual network whose weights have one of PyTorch's usual namings, see `torchNamings`. Names and shapes give the
 * architecture; one of a family becomes a network of that family, any other a graph of layers, with this library's names
 * either way. Shortcuts without weights where the shape changes are He's option A. A stem of 3×3 is one for 32×32 images,
 * one of 7×7 for 224×224.
 *
 * @throws {FormatError} when the names are others, or with all tensors that are missing, left over or of the wrong shape
 */
export function stateDictOutline(tensors: readonly FileTensor[]): NetworkOutline {
  const names = new TensorNames(withoutPrefix(tensors.filter(({ name }) => !name.endsWith('num_batches_tracked'))));
  const naming = namingOf(names);
  if (naming === undefined) {
    const some = tensors.slice(0, 8).map(({ name }) => name);
    throw new FormatError(
      `these weights have no graph with them, and their names are of no known family: ${some.join(', ')}${tensors.length > 8 ? ', …' : ''}. ` +
        `Known are residual networks with names of PyTorch: ${[...new Set(torchNamings.map(({ example }) => example))].join(', ')}. ` +
        'Export others as ONNX, which says what it computes.',
    );
  }
  const network = torchArchitecture(names, naming);
  const { model, specs } = networkOf(network);
  return outlineOf(model, parametersOf(specs, names, naming, network));
}

function namingOf(names: TensorNames): TorchNaming | undefined {
  return torchNamings.find(
    ({ stem, inUnit, fits = () => true }) =>
      names.has(`${stem.conv}.weight`) && names.all().some((name) => inUnit.test(name)) && fits(names),
  );
}

function withoutPrefix(tensors: readonly FileTensor[]): ReadonlyMap<string, FileTensor> {
  const all = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  for (let prefix = prefixOf(all); prefix !== undefined; prefix = prefixOf(all)) {
    const { length } = prefix;
    const stripped = [...all].map(([name, tensor]) => [name.slice(length), tensor] as const);
    all.clear();
    for (const [name, tensor] of stripped) all.set(name, { ...tensor, name });
  }
  return all;
}

function prefixOf(all: ReadonlyMap<string, FileTensor>): string | undefined {
  return all.size === 0
    ? undefined
    : prefixes.find((prefix) => [...all.keys()].every((name) => name.startsWith(prefix)));
}

interface Built {
  readonly model: Model;
  readonly specs: readonly ParameterSpec[];
}

/** The family's network, where a family has this architecture. */
function networkOf({ architecture, channels, classes }: TorchNetwork): Built {
  const depth = depthOf(architecture);
  const family = familyWith(architecture);
  const size = architecture.stem.pool ? 224 : 32;
  const shape: ModelShape = { name: `resnet${depth}`, imageSize: [size, size], channels, classes };
  try {
    const { layers, specs } = build(shape, architecture);
    if (family === undefined) return { model: { ...shape, ...layers }, specs };
    return { model: modelConfig(familyOf(family).nameOf(depth), { channels, classes }), specs };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new FormatError(`network '${shape.name}' does not fit together: ${error.message}`, error.details, error);
  }
}

function build({ name, imageSize, channels, classes }: ModelShape, architecture: Architecture) {
  const net = new NetworkBuilder(name, { mode: 'inference', batchNorm: { epsilon } });
  const x = net.build.input('x', { shape: [1, ...imageSize, channels], dtype: 'f32' });
  net.build.output('logits', residualNet(net, x, architecture, { classes }));
  return { layers: layersOf(net.build.build()), specs: net.parameters };
}

/** Every parameter out of its tensor. @throws {FormatError} with all that does not fit */
function parametersOf(
  specs: readonly ParameterSpec[],
  names: TensorNames,
  naming: TorchNaming,
  network: TorchNetwork,
): ReadonlyMap<string, LaidOut> {
  const parameters = new Map<string, LaidOut>();
  const problems: string[] = [];
  for (const spec of specs) {
    const tensor = names.take(fileNameOf(spec.name, naming, network));
    if (tensor === undefined) continue;
    const wanted = fileShape(spec);
    if (!sameShape(flat(tensor.shape, wanted.length), wanted)) {
      problems.push(`'${tensor.name}' is ${formatShape(tensor.shape)}, but the network needs ${formatShape(wanted)}`);
      continue;
    }
    parameters.set(spec.name, laidOut({ ...tensor, shape: wanted }));
  }
  problems.push(...names.problems());
  if (problems.length > 0) throw misfit(`resnet${depthOf(network.architecture)}`, problems);
  return parameters;
}

/** A filter is [out, in, height, width] there, a kernel [units, features]. */
function fileShape({ shape }: ParameterSpec): readonly number[] {
  const [first = 1, second = 1, inChannels = 1, filters = 1] = shape;
  if (shape.length === 4) return [filters, inChannels, first, second];
  return shape.length === 2 ? [second, first] : shape;
}

/** A kernel may be there as the filter of a 1×1 convolution. */
function flat(shape: readonly number[], rank: number): readonly number[] {
  return rank === 2 && shape.length === 4 && shape[2] === 1 && shape[3] === 1 ? shape.slice(0, 2) : shape;
}

function laidOut(tensor: LaidOut): LaidOut {
  if (tensor.shape.length === 4) return filterFromOihw(tensor);
  return tensor.shape.length === 2 ? kernelFromRows(tensor) : tensor;
}
