import type { InterpolationOrder } from '@skiplane/core';

export type { InterpolationOrder };

export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * Shifts and flips one image, with coordinates clamped to its edge (Keras's fill_mode 'nearest'):
 * out[r, c] = in[r + dy, c + dx], then out[r, c] ← out[r, width − 1 − c] when flipped.
 *
 * A shift moves all pixels alike, so the image is blended row by row and then column by column with one weight each;
 * everything is computed in float64 and rounded once. Allocates nothing per image.
 *
 * @source Keras ImageDataGenerator.apply_transform; scipy.ndimage.affine_transform with order 0 or 1
 */
export class ImageShifter {
  readonly #shape: ImageShape;
  readonly #row: Float64Array;
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #weight: Float64Array;

  constructor(shape: ImageShape) {
    this.#shape = shape;
    this.#row = new Float64Array(shape.width * shape.channels);
    this.#left = new Int32Array(shape.width);
    this.#right = new Int32Array(shape.width);
    this.#weight = new Float64Array(shape.width);
  }

  /** @param source  one image; `out` receives the result from element `to` on */
  shift(
    source: Float32Array,
    dy: number,
    dx: number,
    flip: boolean,
    order: InterpolationOrder,
    out: Float32Array,
    to: number,
  ): void {
    const { height, width, channels } = this.#shape;
    const pitch = width * channels;
    this.#placeColumns(dx, flip, order);
    for (let r = 0; r < height; r++) {
      const y = clamp(r + dy, height - 1);
      const top = order === 0 ? Math.floor(y + 0.5) : Math.floor(y);
      this.#blendRows(source, top * pitch, Math.min(top + 1, height - 1) * pitch, order === 0 ? 0 : y - top);
      this.#blendColumns(out, to + r * pitch);
    }
  }

  /** For every column of the result: its two source columns, as offsets into a row, and the weight of the right one. */
  #placeColumns(dx: number, flip: boolean, order: InterpolationOrder): void {
    const { width, channels } = this.#shape;
    for (let c = 0; c < width; c++) {
      const x = clamp((flip ? width - 1 - c : c) + dx, width - 1);
      const left = order === 0 ? Math.floor(x + 0.5) : Math.floor(x);
      this.#left[c] = left * channels;
      this.#right[c] = Math.min(left + 1, width - 1) * channels;
      this.#weight[c] = order === 0 ? 0 : x - left;
    }
  }

  #blendRows(source: Float32Array, top: number, bottom: number, weight: number): void {
    const row = this.#row;
    const rest = 1 - weight;
    for (let i = 0; i < row.length; i++) {
      row[i] = (source[top + i] as number) * rest + (source[bottom + i] as number) * weight;
    }
  }

  #blendColumns(out: Float32Array, to: number): void {
    const { width, channels } = this.#shape;
    const row = this.#row;
    let at = to;
    for (let c = 0; c < width; c++) {
      const left = this.#left[c] as number;
      const right = this.#right[c] as number;
      const weight = this.#weight[c] as number;
      const rest = 1 - weight;
      for (let k = 0; k < channels; k++) {
        out[at++] = (row[left + k] as number) * rest + (row[right + k] as number) * weight;
      }
    }
  }
}

function clamp(value: number, last: number): number {
  return Math.min(Math.max(value, 0), last);
}
