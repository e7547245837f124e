import { elementCount } from '@skiplane/core';
import type { ParameterSpec, Parameters } from '@skiplane/resnet';

/**
 * The numbers that Keras was given for its fixtures. Nothing of them is stored: element i of a tensor follows from the
 * tensor's name and i. See "Numbers from a formula" in tools/keras-reference/README.md.
 */

/** 32-bit FNV-1a of the UTF-8 bytes. */
export function fnv1a(text: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

/** `count` numbers in [0, 1), multiples of 2^-32. */
export function uniforms(name: string, count: number): Float64Array {
  const seed = fnv1a(name);
  return Float64Array.from({ length: count }, (_, i) => {
    let x = (seed + Math.imul(i, 0x9e3779b9)) >>> 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d);
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b);
    x ^= x >>> 16;
    return (x >>> 0) / 2 ** 32;
  });
}

/** A parameter; the last part of its name is its kind. */
function parameter(name: string, shape: readonly number[]): Float32Array {
  const kind = name.slice(name.lastIndexOf('/') + 1);
  const u = uniforms(name, elementCount(shape));
  if (kind === 'gamma' || kind === 'variance') return Float32Array.from(u, (value) => 0.5 + value);
  const half = new Map([
    ['filter', Math.sqrt(6 / elementCount(shape.slice(0, -1)))],
    ['kernel', Math.sqrt(6 / elementCount(shape.slice(0, -1)))],
    ['bias', 0.1],
    ['beta', 0.2],
    ['mean', 0.1],
  ]).get(kind);
  if (half === undefined) throw new Error(`the formula has no rule for a '${kind}' such as '${name}'`);
  return Float32Array.from(u, (value) => (2 * value - 1) * half);
}

/** A number makes every parameter wrong by up to a unit in its last place, to see how far ten steps carry that. */
const disturbance = process.env['SKIPLANE_KERAS_DISTURB'];

function disturbed(name: string, values: Float32Array): Float32Array {
  const u = uniforms(`${disturbance}/${name}`, values.length);
  return values.map((value, i) => value * (1 + (2 * (u[i] as number) - 1) * 2 ** -23));
}

export function parametersOf(specs: readonly ParameterSpec[]): Parameters {
  return new Map(
    specs.map(({ name, shape }) => {
      const values = parameter(name, shape);
      return [name, disturbance === undefined ? values : disturbed(name, values)];
    }),
  );
}

/** One colour for a block of this many pixels in each direction. */
const block = 8;

/** Blocks of one colour each, mixed half and half with noise: bytes of [count, height, width, channels]. */
export function imageBytes(name: string, shape: readonly [number, number, number, number]): Uint8Array {
  const [, height, width, channels] = shape;
  const [rows, columns] = [Math.ceil(height / block), Math.ceil(width / block)];
  const fine = uniforms(name, elementCount(shape));
  const coarse = uniforms(`${name}/coarse`, shape[0] * rows * columns * channels);
  return Uint8Array.from(fine, (u, i) => {
    const channel = i % channels;
    const column = Math.floor(i / channels) % width;
    const row = Math.floor(i / (channels * width)) % height;
    const image = Math.floor(i / (channels * width * height));
    const at = ((image * rows + Math.floor(row / block)) * columns + Math.floor(column / block)) * channels + channel;
    return Math.floor(((u + (coarse[at] as number)) / 2) * 256);
  });
}

/** The same as a network's input. */
export function images(name: string, shape: readonly [number, number, number, number]): Float32Array {
  return Float32Array.from(imageBytes(name, shape), (byte) => byte / 255 - 0.5);
}

export interface Batch {
  /** [count, 32, 32, 3] */
  readonly images: Float32Array;
  /** [count, 10], one-hot */
  readonly labels: Float32Array;
  /** [count] */
  readonly classes: readonly number[];
}

/** A batch by its name, such as `step0`. */
export function batchOf(name: string, count: number): Batch {
  const classes = Array.from(uniforms(`${name}/labels`, count), (u) => Math.floor(u * 10));
  const labels = new Float32Array(count * 10);
  for (const [image, label] of classes.entries()) labels[image * 10 + label] = 1;
  return { images: images(`${name}/images`, [count, 32, 32, 3]), labels, classes };
}
