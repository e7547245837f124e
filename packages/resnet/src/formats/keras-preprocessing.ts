import { FormatError } from '@skiplane/core';
import type { Preprocessing } from '../data/preprocessing.ts';
import type { KerasLayer } from './keras-config.ts';
import type { FileTensor } from './model-file.ts';

/** Rescaling and Normalization layers at the input of a network: they are its preprocessing, x = pixel·a + b a channel. */
export class RescaledInput {
  readonly #image: readonly [number, number, number];
  readonly #scale: Float64Array;
  readonly #offset: Float64Array;
  #used = false;

  constructor(image: readonly [height: number, width: number, channels: number]) {
    this.#image = image;
    this.#scale = new Float64Array(image[2]).fill(1);
    this.#offset = new Float64Array(image[2]);
  }

  add({ name, className, config }: KerasLayer, weights: readonly FileTensor[]): void {
    this.#used = true;
    if (className === 'Rescaling') {
      this.#apply(this.#channels(name, config['scale'] ?? 1), this.#channels(name, config['offset'] ?? 0));
      return;
    }
    const mean = this.#channels(name, config['mean'] ?? Array.from(weights[0]?.read() ?? []));
    const variance = this.#channels(name, config['variance'] ?? Array.from(weights[1]?.read() ?? []));
    const scale = variance.map((value) => 1 / Math.max(Math.sqrt(value), 1e-7));
    this.#apply(
      scale,
      mean.map((value, c) => -value * (scale[c] ?? 1)),
    );
  }

  /** Null where there was no such layer. */
  preprocessing(): Preprocessing | null {
    if (!this.#used) return null;
    const [height, width, channels] = this.#image;
    const size = height * width * channels;
    // pixel·a + b = (pixel − mean)/std with std = 1/a, mean = −b/a; one scale for all channels needs no std.
    const [scale = 1] = this.#scale;
    if (this.#scale.every((value) => value === scale)) {
      return { scale, mean: Float32Array.from({ length: size }, (_, i) => -(this.#offset[i % channels] as number)) };
    }
    const std = Float32Array.from({ length: size }, (_, i) => 1 / (this.#scale[i % channels] as number));
    const mean = Float32Array.from(
      { length: size },
      (_, i) => -(this.#offset[i % channels] as number) / (this.#scale[i % channels] as number),
    );
    return { scale: 1, mean, std };
  }

  #apply(scale: readonly number[], offset: readonly number[]): void {
    for (let c = 0; c < this.#scale.length; c++) {
      this.#scale[c] = (this.#scale[c] as number) * (scale[c] as number);
      this.#offset[c] = (this.#offset[c] as number) * (scale[c] as number) + (offset[c] as number);
    }
  }

  /** One value a channel. */
  #channels(layer: string, value: unknown): readonly number[] {
    const values = (Array.isArray(value) ? (value as unknown[]).flat(8) : [value]).map(Number);
    const channels = this.#scale.length;
    const all = values.length === 1 ? new Array<number>(channels).fill(values[0] as number) : values;
    if (all.length !== channels || !all.every(Number.isFinite)) {
      throw new FormatError(
        `layer '${layer}' at the input has ${values.length} values for ${channels} channels, or some that are no numbers.`,
      );
    }
    return all;
  }
}
