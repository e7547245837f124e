import { ValueError, type Backend, type CompileOptions } from '@skiplane/core';
import { imageElements } from '../config.ts';
import { BatchPreparer, batchBuffers } from '../data/batch-preparer.ts';
import type { Preprocessing } from '../data/preprocessing.ts';
import { unlabelledDataset } from '../data/unlabelled.ts';
import { InferenceProgram } from '../evaluate/evaluator.ts';
import type { Model } from '../model.ts';
import type { Layer } from '../network-builder.ts';
import type { Parameters } from '../parameters.ts';
import { needPreprocessing } from '../need-preprocessing.ts';
import { explainGraph, mapName } from './explain-graph.ts';
import { gradCam, type FeatureMap } from './grad-cam.ts';
import { lastImageLayer, residualStream } from './layers-to-show.ts';

export interface ExplainerOptions {
  readonly backend: Backend;
  readonly model: Model;
  readonly parameters: Parameters;
  /** Null is an error that tells what to say. */
  readonly preprocessing: Preprocessing | null;
  /** Names of the layers whose outputs are read (default: the residual stream). */
  readonly layers?: readonly string[];
  /** The layer that Grad-CAM looks at (default: the last one before the pooling). */
  readonly camLayer?: string;
  readonly compile?: CompileOptions;
}

/** Why a network says what it says of one image. */
export interface Explanation {
  /** One a class. */
  readonly logits: Float32Array;
  readonly probabilities: Float32Array;
  /** In the order of the layers. */
  readonly maps: readonly FeatureMap[];
  readonly cam: {
    readonly layer: string;
    /** The class whose score is explained. */
    readonly classIndex: number;
    readonly height: number;
    readonly width: number;
    /** [height, width], 0 or more, in units of the logits. */
    readonly data: Float32Array;
  };
}

/**
 * A model compiled to be looked into, image by image: the outputs of its layers, and Grad-CAM by the engine's own backward pass.
 *
 * ```ts
 * using explainer = await Explainer.compile({ backend, ...checkpoint });
 * const { maps, cam } = await explainer.explain(pixels);
 * ```
 */
export class Explainer implements Disposable {
  readonly #options: ExplainerOptions & { readonly preprocessing: Preprocessing };
  readonly #layers: readonly Layer[];
  readonly #camLayer: Layer;
  readonly #inference: InferenceProgram;

  private constructor(
    options: ExplainerOptions & { readonly preprocessing: Preprocessing },
    layers: readonly Layer[],
    camLayer: Layer,
    inference: InferenceProgram,
  ) {
    this.#options = options;
    this.#layers = layers;
    this.#camLayer = camLayer;
    this.#inference = inference;
  }

  /** @throws {ValueError} when the parameters are not the model's, or it has no layer of a name */
  static async compile(options: ExplainerOptions): Promise<Explainer> {
    const { backend, model, parameters, compile } = options;
    const { layers = residualStream(model), camLayer = lastImageLayer(model) } = options;
    const preprocessing = await needPreprocessing(model, options.preprocessing);
    const graph = explainGraph(model, { layers, camLayer });
    const find = (name: string): Layer[] => graph.layers.filter((layer) => layer.name === name);
    const shown = layers.flatMap(find);
    const [cam] = find(camLayer);
    // Batch norms stay: their outputs are layers too.
    const unfolded = { fold: false, ...(compile !== undefined && { compile }) };
    const inference = await InferenceProgram.compile(backend, model, graph, unfolded);
    try {
      inference.writeParameters(parameters);
      return new Explainer({ ...options, preprocessing }, shown, cam as Layer, inference);
    } catch (error) {
      inference.dispose();
      throw error;
    }
  }

  /** Puts other values in all parameters. @throws {ValueError} when they are not the model's */
  writeParameters(parameters: Parameters): void {
    this.#inference.writeParameters(parameters);
  }

  /**
   * @param image       height × width × channels, pixels 0 to 255
   * @param classIndex  the class whose score is explained (default: the likeliest)
   * @throws {ValueError} when the image is not of the model's size, or there is no such class
   */
  async explain(image: Uint8Array, classIndex?: number): Promise<Explanation> {
    const { bound } = this.#inference;
    bound.write('x', this.#prepare(image, classIndex));
    let chosen = classIndex;
    if (chosen === undefined) {
      await bound.program.run();
      const scores = await bound.tensor('logits').read();
      chosen = scores.indexOf(Math.max(...scores));
    }
    bound.write('target', new Float32Array(this.#options.model.classes).fill(1, chosen, chosen + 1));
    await bound.program.run();
    const [logits, probabilities, gradient] = await Promise.all(
      ['logits', 'probabilities', 'cam/gradient'].map((name) => this.#read(name)),
    );
    const maps = await Promise.all(this.#layers.map((layer) => this.#map(layer)));
    const map = await this.#map(this.#camLayer);
    const { layer, height, width } = map;
    const data = gradCam(map, gradient as Float32Array);
    return {
      logits: logits as Float32Array,
      probabilities: probabilities as Float32Array,
      maps,
      cam: { layer, classIndex: chosen, height, width, data },
    };
  }

  dispose(): void {
    this.#inference.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #prepare(image: Uint8Array, classIndex: number | undefined): Float32Array {
    const { model, preprocessing } = this.#options;
    const problems: string[] = [];
    const size = imageElements(model);
    if (image.length !== size) problems.push(`the image has ${image.length} bytes, and one of its images has ${size}`);
    if (classIndex !== undefined && !(Number.isInteger(classIndex) && classIndex >= 0 && classIndex < model.classes)) {
      problems.push(`the class is ${classIndex}, but must be a whole number from 0 to ${model.classes - 1}`);
    }
    if (problems.length > 0)
      throw new ValueError(`cannot explain ${model.name}: ${problems.join('; ')}.`, { problems });
    const data = unlabelledDataset(model, ['image'], image);
    const buffers = batchBuffers(data, 1);
    new BatchPreparer(data, preprocessing).prepare(null, 0, 1, buffers, null);
    return buffers.images;
  }

  async #map({ name, outputShape: [height = 1, width = 1, channels = 1] }: Layer): Promise<FeatureMap> {
    return { layer: name, height, width, channels, data: await this.#read(mapName(name)) };
  }

  async #read(name: string): Promise<Float32Array> {
    return (await this.#inference.bound.tensor(name).read()) as Float32Array;
  }
}
