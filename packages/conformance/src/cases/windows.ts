import type { Padding2d, SizedWindow2d } from '@skiplane/core';
import * as fc from 'fast-check';
import { channelsArbitrary } from './op-cases.ts';

/** A window over an image: what a convolution or a pool needs to know of its shapes. */
export interface Geometry extends SizedWindow2d {
  /** [batch, height, width, channels] of the image. */
  readonly image: readonly [number, number, number, number];
  readonly outChannels: number;
}

/** Size of the window's output along both axes. */
function outputSize({ image, size, strides, padding }: Geometry): readonly [height: number, width: number] {
  return [
    Math.floor((image[1] + padding.top + padding.bottom - size[0]) / strides[0]) + 1,
    Math.floor((image[2] + padding.left + padding.right - size[1]) / strides[1]) + 1,
  ];
}

export function outputShape(window: Geometry): readonly [number, number, number, number] {
  return [window.image[0], ...outputSize(window), window.outChannels];
}

/** The window of a geometry, as the attributes of an op have it. */
export function windowOf({ strides, padding }: Geometry) {
  return { strides, padding };
}

export function sizedWindowOf({ size, strides, padding }: Geometry): SizedWindow2d {
  return { size, strides, padding };
}

export const pad = (top: number, bottom = top, left = top, right = bottom): Padding2d => ({ top, bottom, left, right });

export function geometry(
  image: Geometry['image'],
  size: Geometry['size'],
  outChannels: number,
  strides: Geometry['strides'] = [1, 1],
  padding: Padding2d = pad(0),
): Geometry {
  return { image, size, outChannels, strides, padding };
}

/** Geometries of convolutions that have a name: those of the networks in small, and the edges. */
export const convGeometries = {
  '3x3 same': geometry([2, 8, 8, 16], [3, 3], 16, [1, 1], pad(1)),
  '3x3 stride 2, padded bottom and right': geometry([2, 8, 8, 16], [3, 3], 32, [2, 2], pad(0, 1)),
  '3x3 stride 2, padded evenly': geometry([1, 8, 8, 10], [3, 3], 7, [2, 2], pad(1)),
  '1x1 stride 2: stride over window': geometry([2, 8, 6, 16], [1, 1], 32, [2, 2]),
  'first layer, 3 channels': geometry([2, 9, 7, 3], [3, 3], 16, [1, 1], pad(1)),
  'ImageNet stem, 7x7 stride 2': geometry([1, 17, 15, 3], [7, 7], 8, [2, 2], pad(3)),
  'bottleneck 1x1': geometry([1, 5, 5, 17], [1, 1], 64),
  '1x1 image': geometry([3, 1, 1, 5], [3, 3], 7, [1, 1], pad(1)),
  '1x1 image, 1x1 window, 1 channel': geometry([1, 1, 1, 1], [1, 1], 1),
  'wide image, 1x7': geometry([1, 2, 33, 7], [1, 7], 5, [1, 1], pad(0, 0, 3, 3)),
  'tall image, 7x1': geometry([1, 33, 2, 7], [7, 1], 5, [1, 1], pad(3, 3, 0, 0)),
  'uneven strides 1 and 3': geometry([2, 6, 11, 5], [3, 2], 3, [1, 3], pad(1, 0, 0, 1)),
  '2x2 stride 3, rows left over': geometry([1, 9, 10, 3], [2, 2], 10, [3, 3]),
  '5x5 same': geometry([1, 7, 6, 10], [5, 5], 5, [1, 1], pad(2)),
  'no padding': geometry([2, 6, 5, 7], [3, 3], 17),
  'window as large as the image': geometry([2, 5, 4, 3], [5, 4], 10),
  'windows that see padding only': geometry([1, 3, 3, 4], [2, 2], 5, [1, 1], pad(3, 3, 2, 0)),
  'ragged tiles, 13x6': geometry([1, 13, 6, 8], [3, 3], 8, [1, 1], pad(1)),
  'ragged tiles, asymmetric padding': geometry([2, 7, 5, 16], [3, 3], 16, [1, 1], pad(0, 2, 1, 0)),
  '64 to 64 channels': geometry([1, 4, 4, 64], [3, 3], 64, [1, 1], pad(1)),
  '65 to 33 channels': geometry([1, 5, 4, 65], [3, 3], 33, [1, 1], pad(1)),
  'batch of 9': geometry([9, 3, 3, 5], [3, 3], 4, [1, 1], pad(1)),
  'long sums': geometry([8, 32, 32, 3], [3, 3], 5, [1, 1], pad(1)),
} as const satisfies Record<string, Geometry>;

/** Geometries of pools that have a name; `outChannels` is that of the image. */
export const poolGeometries = {
  '2x2 stride 2': geometry([2, 6, 8, 5], [2, 2], 5, [2, 2]),
  'ImageNet stem, 3x3 stride 2, overlapping': geometry([1, 9, 8, 16], [3, 3], 16, [2, 2], pad(1)),
  '3x3 stride 2, padded bottom and right': geometry([2, 8, 8, 7], [3, 3], 7, [2, 2], pad(0, 1)),
  '3x3 stride 1, overlapping everywhere': geometry([1, 5, 6, 3], [3, 3], 3, [1, 1], pad(1)),
  'global 8x8': geometry([2, 8, 8, 64], [8, 8], 64, [8, 8]),
  '2x2 stride 3: elements that no window sees': geometry([1, 8, 9, 10], [2, 2], 10, [3, 3]),
  '1x1 image': geometry([3, 1, 1, 17], [1, 1], 17),
  'all sides padded by window less 1': geometry([1, 2, 3, 4], [3, 3], 4, [1, 1], pad(2)),
  'uneven window and strides': geometry([1, 7, 10, 5], [3, 2], 5, [1, 3], pad(1, 2, 0, 1)),
} as const satisfies Record<string, Geometry>;

const sizes = fc.constantFrom(3, 1, 2, 5, 7);
const strides = fc.constantFrom(1, 2, 3);
const pads = fc.integer({ min: 0, max: 6 });

interface Axis {
  readonly length: number;
  readonly size: number;
  readonly stride: number;
  readonly before: number;
  readonly after: number;
}

/** One axis of a window. Padding stays below `limit(size)`, and the window fits. */
function axisArbitrary(limit: (size: number) => number): fc.Arbitrary<Axis> {
  const raw = fc.record({
    length: fc.integer({ min: 1, max: 14 }),
    size: sizes,
    stride: strides,
    before: pads,
    after: pads,
  });
  return raw.map(({ length, size, stride, before, after }) => {
    const top = before % limit(size);
    const bottom = after % limit(size);
    const least = size - top - bottom;
    return { length: Math.max(length, least), size, stride, before: top, after: bottom };
  });
}

function geometryArbitrary(limit: (size: number) => number, outChannels: 'free' | 'same'): fc.Arbitrary<Geometry> {
  return fc
    .record({
      batch: fc.integer({ min: 1, max: 3 }),
      rows: axisArbitrary(limit),
      columns: axisArbitrary(limit),
      inChannels: channelsArbitrary,
      channels: channelsArbitrary,
    })
    .map(({ batch, rows, columns, inChannels, channels }) =>
      geometry(
        [batch, rows.length, columns.length, inChannels],
        [rows.size, columns.size],
        outChannels === 'same' ? inChannels : channels,
        [rows.stride, columns.stride],
        pad(rows.before, rows.after, columns.before, columns.after),
      ),
    );
}

/** Multiply-adds of a random convolution: the oracle does a few hundred million a second. */
const most = 400_000;

/** Halves channels until the convolution is cheap. */
function affordable(wanted: Geometry): Geometry {
  let { image, outChannels } = wanted;
  const [height, width] = outputSize(wanted);
  const work = (): number => image[0] * height * width * wanted.size[0] * wanted.size[1] * image[3] * outChannels;
  while (work() > most && image[3] * outChannels > 1) {
    if (outChannels > image[3]) outChannels = Math.ceil(outChannels / 2);
    else image = [image[0], image[1], image[2], Math.ceil(image[3] / 2)];
  }
  return { ...wanted, image, outChannels };
}

export const convGeometryArbitrary = geometryArbitrary((size) => size + 1, 'free').map(affordable);

/** A pool's padding must be smaller than its window. */
export const poolGeometryArbitrary = geometryArbitrary((size) => size, 'same');
