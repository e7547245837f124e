import type { Window2d } from '@skiplane/core';
import { ceilDiv } from './lowering.ts';

/** Shapes of a convolution-like loop: a window moves over `height` × `width` × `inChannels` and gives `outHeight` × `outWidth` × `outChannels`. */
export interface ConvShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
}

export function windowShape(
  x: readonly number[],
  filter: readonly number[],
  y: readonly number[],
  { strides, padding }: Window2d,
): ConvShape {
  const [batch = 0, height = 0, width = 0, inChannels = 0] = x;
  const [filterHeight = 0, filterWidth = 0] = filter;
  const [, outHeight = 0, outWidth = 0, outChannels = 0] = y;
  return {
    batch,
    height,
    width,
    inChannels,
    filterHeight,
    filterWidth,
    strideHeight: strides[0],
    strideWidth: strides[1],
    padTop: padding.top,
    padLeft: padding.left,
    outHeight,
    outWidth,
    outChannels,
  };
}

/** Vectors of four channels. */
export const vectorsOf = (channels: number): number => ceilDiv(channels, 4);

export const padTo = (count: number, multiple: number): number => ceilDiv(count, multiple) * multiple;
