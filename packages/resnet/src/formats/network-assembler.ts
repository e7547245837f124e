import { FormatError, formatShape, sameShape, type ValueId } from '@skiplane/core';
import type { Preprocessing } from '../data/preprocessing.ts';
import { addLayer } from '../layer-graph/add-layers.ts';
import {
  inputName,
  type LayerAttrs,
  type LayerGraph,
  type LayerKind,
  type LayerNode,
} from '../layer-graph/layer-graph.ts';
import { foldPads } from '../layer-graph/fold-pads.ts';
import { NetworkBuilder } from '../network-builder.ts';
import type { Model } from '../model.ts';
import type { ImportedNetwork, NetworkOutline } from './model-file.ts';

/** A parameter in this library's layout, read when it is asked for. */
export interface LaidOut {
  /** Of the tensor in the file. */
  readonly name?: string;
  readonly shape: readonly number[];
  readonly read: () => Float32Array;
}

/** Elements of an image that is still one: 8,192 × 8,192 of 3 channels. */
const maxImageElements = 3 * 2 ** 26;

/** Puts a network together layer by layer, and knows the shape of each at once; what does not fit is collected. */
export class NetworkAssembler {
  readonly #net: NetworkBuilder;
  readonly #name: string;
  readonly #image: readonly [height: number, width: number, channels: number];
  readonly #values: Map<string, ValueId>;
  readonly #layers: LayerNode[] = [];
  readonly #parameters = new Map<string, LaidOut>();
  readonly #problems: string[] = [];

  constructor(name: string, image: readonly [height: number, width: number, channels: number]) {
    if (
      image.some((size) => !Number.isSafeInteger(size) || size < 1) ||
      image[0] * image[1] * image[2] > maxImageElements
    ) {
      throw new FormatError(
        `network '${name}' takes images of ${image.join('×')}: sizes must be whole numbers from 1 up, and not absurd.`,
      );
    }
    this.#name = name;
    this.#image = image;
    this.#net = new NetworkBuilder(name, { mode: 'inference' });
    this.#values = new Map([[inputName, this.#net.build.input('x', { shape: [1, ...image], dtype: 'f32' })]]);
  }

  /** Sizes of a layer's output without the batch: [height, width, channels], or [features]. */
  shape(layer: string): readonly number[] {
    return this.#net.build.spec(this.#valueOf(layer)).shape.slice(1);
  }

  /**
   * Adds a layer, and returns its name, which is made unique.
   * @param parameters  by role; one that is undefined is missing, and has been noted already
   * @throws {FormatError} when its operands do not fit
   */
  add<K extends LayerKind>(
    kind: K,
    name: string,
    inputs: readonly string[],
    attrs: LayerAttrs[K],
    parameters: Readonly<Record<string, LaidOut | undefined>> = {},
  ): string {
    const unique = this.#unique(name);
    const node = { name: unique, kind, inputs, attrs } as unknown as LayerNode;
    const first = this.#net.parameters.length;
    const operands = inputs.map((input) => this.#valueOf(input));
    this.#values.set(unique, addLayer(this.#net, this.#name, node, operands));
    this.#layers.push(node);
    for (const spec of this.#net.parameters.slice(first)) {
      const role = spec.name.slice(unique.length + 1);
      const given = parameters[role];
      if (given === undefined) {
        if (!(role in parameters)) this.#problems.push(`'${spec.name}' ${formatShape(spec.shape)} is missing`);
      } else if (!sameShape(given.shape, spec.shape)) {
        this.#problems.push(
          `'${spec.name}' is ${formatShape(given.shape)}, but the layer needs ${formatShape(spec.shape)}`,
        );
      } else this.#parameters.set(spec.name, given);
    }
    return unique;
  }

  /** Notes something else that does not fit. */
  problem(text: string): void {
    this.#problems.push(text);
  }

  /** @throws {FormatError} that lists all that did not fit */
  finish(output: string, preprocessing: Preprocessing | null = null): NetworkOutline {
    let last = output;
    // Heads of convolutions alone end with images of one pixel.
    if (this.shape(last).length === 3) last = this.add('flatten', 'logits', [last], {});
    const [classes = 0] = this.shape(last);
    if (this.#problems.length > 0) throw misfit(this.#name, this.#problems);
    const [height, width, channels] = this.#image;
    const layers = foldPads(live(this.#layers, last));
    const model: LayerGraph = { name: this.#name, imageSize: [height, width], channels, classes, layers, output: last };
    return outlineOf(model, this.#parameters, preprocessing);
  }

  #valueOf(layer: string): ValueId {
    const value = this.#values.get(layer);
    if (value === undefined)
      throw new FormatError(`network '${this.#name}' reads '${layer}', which is no layer before it.`);
    return value;
  }

  #unique(name: string): string {
    let unique = name === '' ? 'layer' : name;
    for (let n = 1; this.#values.has(unique); n++) unique = `${name || 'layer'}_${n}`;
    return unique;
  }
}

/** A network whose parameters are these tensors. */
export function outlineOf(
  model: Model,
  tensors: ReadonlyMap<string, LaidOut>,
  preprocessing: Preprocessing | null = null,
): NetworkOutline {
  const said = { model, preprocessing, classNames: null };
  const read = (): ImportedNetwork => {
    const parameters = new Map<string, Float32Array>();
    const problems: string[] = [];
    for (const [parameter, { name = parameter, read: readOne }] of tensors) {
      const data = readOne();
      if (data.every(Number.isFinite)) parameters.set(parameter, data);
      else problems.push(`'${name}' holds NaN or infinite values`);
    }
    if (problems.length > 0) throw misfit(model.name, problems);
    return { ...said, parameters, training: null };
  };
  return { ...said, read };
}

/** One error for all that does not fit together in a file. */
export function misfit(name: string, problems: readonly string[]): FormatError {
  const shown = problems.slice(0, maxListed);
  const more = problems.length > shown.length ? [`… and ${problems.length - shown.length} more`] : [];
  return new FormatError(`the parts of '${name}' do not fit together:\n  ${[...shown, ...more].join('\n  ')}`, {
    problems,
  });
}

/** Longer lists help nobody. */
const maxListed = 100;

/** A layer that cannot be represented. */
export interface Unsupported {
  readonly name: string;
  readonly kind: string;
  readonly why?: string;
}

/** One error for all layers that cannot be represented. */
export function unsupportedLayers(name: string, layers: readonly Unsupported[]): FormatError {
  return new FormatError(
    `'${name}' has layers that cannot be represented here:\n  ${listed(layers).join('\n  ')}\n` +
      'Convolutions, batch norms, ReLU, additions, concatenations, pooling, padding, flattening and dense layers can.',
    { unsupported: layers },
  );
}

/** One error for all layers that another format cannot hold. */
export function unwritableLayers(format: string, name: string, layers: readonly Unsupported[]): FormatError {
  return new FormatError(
    `'${name}' cannot be written as ${format}, which has no layers for:\n  ${listed(layers).join('\n  ')}\n` +
      'Checkpoints (.safetensors) and ONNX hold all layers.',
    { unsupported: layers },
  );
}

function listed(layers: readonly Unsupported[]): readonly string[] {
  const lines = layers
    .slice(0, maxListed)
    .map((layer) => `${layer.kind} '${layer.name}'${layer.why === undefined ? '' : `: ${layer.why}`}`);
  return layers.length > lines.length ? [...lines, `… and ${layers.length - lines.length} more`] : lines;
}

function live(layers: readonly LayerNode[], output: string): readonly LayerNode[] {
  const needed = new Set([output]);
  return layers
    .toReversed()
    .filter(({ name, inputs }) => {
      if (!needed.has(name)) return false;
      for (const input of inputs) needed.add(input);
      return true;
    })
    .toReversed();
}
