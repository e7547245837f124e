import { philox4x32, randomStream, uniforms, ValueError, type RandomStream } from '@skiplane/core';
import type { Dataset } from './dataset.ts';
import { shapes, type Shape } from './shapes.ts';

export interface SyntheticOptions {
  readonly count: number;
  /** An integer from 0 to 2^53 − 1. */
  readonly seed: number;
  /** The two splits come from streams of their own, so no image is in both. */
  readonly split: 'train' | 'test';
  /** Height and width in pixels (default 32). */
  readonly size?: number;
}

const channels = 3;
/** Uniform numbers that decide an image, its noise apart. */
const drawsPerImage = 48;
/** Largest change of a channel by noise, in either direction. */
const noise = 12;

/**
 * Pictures drawn from a seed: one of ten shapes, of any position, size and colour and turned a little, on a gradient with
 * clutter behind it and noise over it. Colours carry no hint of the class, and a shape may be lighter or darker than
 * what is behind it, so neither histograms nor a linear classifier tell the classes apart; a small network does.
 *
 * Image i depends on seed, split and i only, and its class is i modulo ten.
 * @throws {ValueError} when count or size is not a whole number of 1 or more (size: 4 or more)
 */
export function syntheticDataset({ count, seed, split, size = 32 }: SyntheticOptions): Dataset {
  if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(size) || size < 4) {
    throw new ValueError(
      `cannot draw ${count} images of size ${size}: count must be 1 or more and size 4 or more, both whole.`,
      { count, size },
    );
  }
  const stream = randomStream(seed, `synthetic/${split}`);
  const grain = randomStream(seed, `synthetic/${split}/noise`);
  const painter = new Painter(size);
  const images = new Uint8Array(count * size * size * channels);
  const labels = Uint8Array.from({ length: count }, (_, index) => index % shapes.length);
  for (let index = 0; index < count; index++) {
    painter.draw(shapes[index % shapes.length] as Shape, uniforms(stream, drawsPerImage, index * drawsPerImage));
    painter.write(images, index, grain);
  }
  return {
    name: `synthetic ${split}`,
    images,
    labels,
    count,
    height: size,
    width: size,
    channels,
    classNames: shapes.map(({ name }) => name),
  };
}

type Colour = readonly [red: number, green: number, blue: number];

/** Draws one image after the other into the same canvas. */
class Painter {
  readonly #size: number;
  readonly #canvas: Float64Array;
  readonly #words = new Uint32Array(4);

  constructor(size: number) {
    this.#size = size;
    this.#canvas = new Float64Array(size * size * channels);
  }

  /** @param draws  numbers in [0, 1) that decide everything but the shape */
  draw(shape: Shape, draws: Float64Array): void {
    const size = this.#size;
    let at = 0;
    const next = (from = 0, to = 1): number => from + (to - from) * (draws[at++] as number);
    const colour = (): Colour => [next(25, 230), next(25, 230), next(25, 230)];
    const [first, second] = [colour(), colour()];
    this.#gradient(first, second, next(0, 2 * Math.PI));
    for (let spot = 0; spot < 3; spot++)
      this.#clutter(next(0, size), next(0, size), next(0.05, 0.11) * size, next(0, Math.PI), colour());
    const behind = first.map((value, channel) => (value + (second[channel] as number)) / 2);
    const radius = next(0.3, 0.42) * size;
    const margin = radius * 0.8;
    const x = next(margin, size - margin);
    const y = next(margin, size - margin);
    this.#paint(x, y, radius, next(-0.6, 0.6), contrasting(colour(), behind, next() < 0.5), shape.distance);
  }

  /** The canvas as bytes, with noise over it. */
  write(images: Uint8Array, index: number, grain: RandomStream): void {
    const canvas = this.#canvas;
    const words = this.#words;
    const counter: [number, number, number, number] = [0, index, ...grain.name];
    const from = index * canvas.length;
    for (let i = 0; i < canvas.length; i++) {
      // One block of 128 random bits is enough for 16 values.
      if (i % 16 === 0) {
        counter[0] = i / 16;
        philox4x32(counter, grain.key, words);
      }
      const byte = ((words[(i >> 2) & 3] as number) >>> ((i & 3) * 8)) & 255;
      const value = (canvas[i] as number) + ((byte - 127.5) * noise) / 127.5;
      images[from + i] = Math.min(Math.max(Math.round(value), 0), 255);
    }
  }

  #gradient(from: Colour, to: Colour, angle: number): void {
    const size = this.#size;
    const [dx, dy] = [Math.cos(angle) / size, Math.sin(angle) / size];
    for (let row = 0, at = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const t = 0.5 + (column + 0.5 - size / 2) * dx + (row + 0.5 - size / 2) * dy;
        for (let k = 0; k < channels; k++) this.#canvas[at++] = (from[k] as number) * (1 - t) + (to[k] as number) * t;
      }
    }
  }

  /** A short bar. */
  #clutter(x: number, y: number, radius: number, angle: number, colour: Colour): void {
    this.#paint(x, y, radius, angle, colour, (u, v) => Math.max(Math.abs(u) - 1, Math.abs(v) - 0.45));
  }

  /** Fills a shape in its frame: centre (x, y), `radius` pixels a unit, turned by `angle`; edges are one pixel soft. */
  #paint(x: number, y: number, radius: number, angle: number, colour: Colour, distance: Shape['distance']): void {
    const size = this.#size;
    const reach = radius * 1.3 + 1;
    const [cos, sin] = [Math.cos(angle) / radius, Math.sin(angle) / radius];
    const lastRow = Math.min(size - 1, Math.ceil(y + reach));
    const lastColumn = Math.min(size - 1, Math.ceil(x + reach));
    for (let row = Math.max(0, Math.floor(y - reach)); row <= lastRow; row++) {
      for (let column = Math.max(0, Math.floor(x - reach)); column <= lastColumn; column++) {
        const [px, py] = [column + 0.5 - x, row + 0.5 - y];
        const outside = distance(px * cos + py * sin, py * cos - px * sin) * radius;
        const cover = Math.min(Math.max(0.5 - outside, 0), 1);
        if (cover === 0) continue;
        const at = (row * size + column) * channels;
        for (let k = 0; k < channels; k++) {
          const under = this.#canvas[at + k] as number;
          this.#canvas[at + k] = under + ((colour[k] as number) - under) * cover;
        }
      }
    }
  }
}

/** The colour, moved away from what is behind it, where it is too near, to the lighter or the darker side. */
function contrasting(colour: Colour, behind: readonly number[], lighter: boolean): Colour {
  const distance = Math.max(...colour.map((value, k) => Math.abs(value - (behind[k] as number))));
  if (distance >= 90) return colour;
  const move = (value: number, k: number): number => {
    const base = behind[k] as number;
    const towards = lighter ? base + 100 : base - 100;
    return towards > 245 || towards < 10 ? 2 * base - towards : towards + (value - base) * 0.3;
  };
  return [move(colour[0], 0), move(colour[1], 1), move(colour[2], 2)];
}
