import { ValueError } from '@skiplane/core';
import { checkDataset } from '../data/dataset.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import { foldLayers, type Weighted } from '../layer-graph/fold-layers.ts';
import type { LayerGraph, LayerNode } from '../layer-graph/layer-graph.ts';
import { isLayerGraph, type Model } from '../model.ts';
import { checkParameters } from '../parameters.ts';
import { calibrate, type CalibrationOptions } from './calibrate.ts';
import { fuseLayers, isConvolution, type FusedConvolution, type FusedLayer } from './fuse-layers.ts';
import { largestByte, type Histogram } from './histogram.ts';
import { quantizeFilter } from './quantize-filter.ts';

/** Whether a network computes in whole numbers of eight bits. */
export function isQuantized(model: Model): boolean {
  return isLayerGraph(model) && model.layers.some(({ kind }) => kind === 'quantizedConv2d');
}

/**
 * A network whose convolutions compute in whole numbers of eight bits, from one in f32, without training.
 *
 * Batch norms are folded; each convolution takes the addition and the ReLU behind it. Filters are symmetric, with a scale for each
 * output channel. What goes into and out of convolutions is symmetric too, with one scale a tensor, from the values that the
 * network gives on `data`: of all scales the one of the least squared error. Layers of other kinds stay in f32.
 *
 * ```ts
 * const quantized = await quantizeModel(loaded, { backend, preprocessing, data: takeDataset(train, 0, 512) });
 * const { accuracy } = await evaluateModel({ backend, ...loaded, ...quantized, data: test });
 * ```
 * @throws {ValueError} when it has no convolutions, is quantized already, or data, parameters and model do not fit together
 * @source Jacob et al. 2018; Krishnamoorthi 2018, §3.1
 */
export async function quantizeModel(weighted: Weighted, options: CalibrationOptions): Promise<Weighted<LayerGraph>> {
  const { model, parameters } = weighted;
  checkParameters(model.name, parameterSpecs(model), parameters);
  checkDataset(options.data, model);
  if (isQuantized(model))
    throw new ValueError(`'${model.name}' is quantized already: take the weights it was made of.`);
  const folded = foldLayers(weighted);
  const layers = fuseLayers(folded.model);
  const convolutions = layers.filter(isConvolution);
  if (convolutions.length === 0)
    throw new ValueError(`'${model.name}' has no convolutions: there is nothing to quantize.`);
  const names = convolutions.flatMap(({ name, conv, residual }) => [
    name,
    ...conv.inputs,
    ...(residual === null ? [] : [residual]),
  ]);
  const histograms = await calibrate(folded, new Set(names), options);
  return new Quantizer(folded, histograms).quantize(layers);
}

/** Writes the layers of a quantized network, and between the two kinds of numbers what leads from one to the other. */
class Quantizer {
  readonly #folded: Weighted<LayerGraph>;
  readonly #histograms: ReadonlyMap<string, Histogram>;
  readonly #layers: LayerNode[] = [];
  readonly #parameters = new Map<string, Float32Array>();
  /** Layers of the new network that give a value of the old one, by its name. */
  readonly #bytes = new Map<string, string>();
  readonly #floats = new Map<string, string>();
  readonly #scales = new Map<string, number>();

  constructor(folded: Weighted<LayerGraph>, histograms: ReadonlyMap<string, Histogram>) {
    this.#folded = folded;
    this.#histograms = histograms;
  }

  quantize(layers: readonly FusedLayer[]): Weighted<LayerGraph> {
    for (const layer of layers) {
      if (isConvolution(layer)) this.#convolution(layer);
      else {
        const inputs = layer.inputs.map((input) => this.#asFloats(input));
        this.#layers.push({ ...layer, inputs });
      }
    }
    const { model, parameters } = this.#folded;
    const quantized = { ...model, output: this.#asFloats(model.output), layers: this.#layers };
    for (const { name } of parameterSpecs(quantized)) {
      const kept = parameters.get(name);
      if (!this.#parameters.has(name) && kept !== undefined) this.#parameters.set(name, kept);
    }
    return { model: quantized, parameters: this.#parameters };
  }

  #convolution({ name, conv, residual, relu }: FusedConvolution): void {
    const { filters, kernelSize, strides, padding } = conv.attrs;
    const [x = ''] = conv.inputs;
    const inputs = [this.#asBytes(x), ...(residual === null ? [] : [this.#asBytes(residual)])];
    const scale = this.#scale(name);
    const { parameters } = this.#folded;
    const { values, scales } = quantizeFilter(parameters.get(`${conv.name}/filter`) ?? new Float32Array(0), filters);
    const bias = parameters.get(`${conv.name}/bias`) ?? new Float32Array(filters);
    this.#parameters.set(`${conv.name}/filter`, values);
    this.#parameters.set(
      `${conv.name}/multiplier`,
      Float32Array.from(scales, (own) => (this.#scale(x) * own) / scale),
    );
    this.#parameters.set(
      `${conv.name}/bias`,
      bias.map((value) => value / scale),
    );
    const added = residual === null ? null : this.#scale(residual) / scale;
    const attrs = { filters, kernelSize, strides, padding, residual: added, relu };
    this.#layers.push({ name: conv.name, kind: 'quantizedConv2d', inputs, attrs });
    this.#bytes.set(name, conv.name);
  }

  #scale(name: string): number {
    const known = this.#scales.get(name);
    if (known !== undefined) return known;
    const clip = this.#histograms.get(name)?.leastSquaresClip() ?? 0;
    // What is always zero is exact at any scale.
    const scale = clip > 0 ? clip / largestByte : 1;
    this.#scales.set(name, scale);
    return scale;
  }

  #asBytes(name: string): string {
    const known = this.#bytes.get(name);
    if (known !== undefined) return known;
    const own = `${name}/quantize`;
    this.#layers.push({ name: own, kind: 'quantize', inputs: [name], attrs: { scale: this.#scale(name) } });
    this.#bytes.set(name, own);
    return own;
  }

  #asFloats(name: string): string {
    const bytes = this.#bytes.get(name);
    // Layers that give floats keep their names, and have them beside what they were quantized to.
    if (bytes === undefined || bytes === `${name}/quantize`) return name;
    const known = this.#floats.get(name);
    if (known !== undefined) return known;
    const own = `${name}/dequantize`;
    this.#layers.push({ name: own, kind: 'dequantize', inputs: [bytes], attrs: { scale: this.#scale(name) } });
    this.#floats.set(name, own);
    return own;
  }
}
