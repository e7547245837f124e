import type { Window2d } from '@skiplane/core';
import type { ConvAlgorithm } from './lowering.ts';
import { align, ceilDiv } from './lowering.ts';

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

/** Half of a small L1: what a block of padded input rows may take. */
const windowBytes = 16 * 1024;
/** What the results of a task may take: enough for its start to cost little, few enough for threads to share an image. */
const resultBytes = 16 * 1024;
/** What all of V and M of a Winograd task may take: a sixth of it is there at a time. */
const winogradBytes = 320 * 1024;
/** Tasks that the few tiles of a small batch are dealt to for each of several threads: one image on two of them runs 1.5 times as fast as on one (Zen 4). */
const tasksPerThread = 2;

export const padTo16 = (channels: number): number => ceilDiv(channels, 16) * 16;

export function tileCount({ batch, outHeight, outWidth }: ConvShape): number {
  return batch * ceilDiv(outHeight, 4) * ceilDiv(outWidth, 4);
}

/** Whether F(4×4,3×3) can compute it: 3×3, stride 1, whole vectors of input channels, padding within a patch. */
function winogradApplies(shape: ConvShape): boolean {
  const { filterHeight, filterWidth, strideHeight, strideWidth, inChannels, padTop, padLeft } = shape;
  const isThree = filterHeight === 3 && filterWidth === 3 && strideHeight === 1 && strideWidth === 1;
  return isThree && inChannels % 4 === 0 && padTop >= 0 && padTop <= 2 && padLeft >= 0 && padLeft <= 2;
}

/**
 * Whether F(4×4,3×3) is the cheaper way: in units of direct multiply-adds, its products are 36/144 of the tiles' area,
 * and the transforms cost about as much as 40 multiply-adds a tile element and channel.
 */
function winogradWins(shape: ConvShape): boolean {
  const { outHeight, outWidth, inChannels, outChannels } = shape;
  const tileArea = ceilDiv(outHeight, 4) * 4 * ceilDiv(outWidth, 4) * 4;
  const direct = outHeight * outWidth * 9 * inChannels * padTo16(outChannels);
  const products = (tileArea * 9 * inChannels * padTo16(outChannels)) / 4;
  const transforms = tileArea * 18 * (inChannels + padTo16(outChannels));
  return products + transforms < direct;
}

export function useWinograd(shape: ConvShape, conv: ConvAlgorithm): boolean {
  if (conv === 'direct' || !winogradApplies(shape)) return false;
  return conv === 'winograd' || winogradWins(shape);
}

/** Output rows of a task whose padded input rows fit a small L1; at least one. */
export function directRows(shape: ConvShape): number {
  const { filterHeight, strideHeight, outHeight } = shape;
  const windowRows = Math.floor((windowBytes / windowRowBytes(shape) - filterHeight) / strideHeight) + 1;
  const resultRows = Math.floor(resultBytes / resultRowBytes(shape));
  return Math.max(1, Math.min(windowRows, resultRows, outHeight));
}

/** Scratch of a direct task of `rows` output rows: constants, a bias of zeros, the results of a panel that is not full, the padded window, and slack for a last pair. */
export function directScratchBytes(shape: ConvShape, rows: number): number {
  const window = windowRowBytes(shape) * ((rows - 1) * shape.strideHeight + shape.filterHeight);
  const results = shape.outChannels % 16 === 0 ? 0 : rows * shape.outWidth * 64;
  return 64 + padTo16(shape.outChannels) * 4 + results + align(window + 64);
}

/** Scratch of a block of `rows` output rows of the direct filter gradient: zeros, dy in panels, the padded window, and slack for a last pair. */
export function filterScratchBytes(shape: ConvShape, rows: number): number {
  const window = windowRowBytes(shape) * ((rows - 1) * shape.strideHeight + shape.filterHeight);
  return 128 + rows * resultRowBytes(shape) + align(window + 64);
}

function resultRowBytes({ outWidth, outChannels }: ConvShape): number {
  return Math.max(1, outWidth * padTo16(outChannels) * 4);
}

function windowRowBytes({ outWidth, strideWidth, filterWidth, inChannels }: ConvShape): number {
  return Math.max(1, ((outWidth - 1) * strideWidth + filterWidth) * inChannels * 4);
}

/** Tiles of a Winograd task whose transformed inputs and products fit the cache. */
export function winogradTiles(shape: ConvShape, threads: number): number {
  const tiles = tilesWithin(winogradBytes, 36 * 4 * (shape.inChannels + padTo16(shape.outChannels)), shape, threads);
  return wholeImageTiles(tiles, tileCount(shape) / shape.batch);
}

/** At most as many tiles, such that tasks end where images do: whole images of them, or even shares of an image; all where neither can be. */
function wholeImageTiles(tiles: number, perImage: number): number {
  if (tiles >= perImage) return Math.floor(tiles / perImage) * perImage;
  for (let share = tiles; share >= tiles / 2; share--) if (perImage % share === 0) return share;
  return tiles;
}

/**
 * Tiles of `tileBytes` that fit `bytes`, and fewer where threads would have too few tasks to share; even, so that the microkernel's
 * pairs come out.
 */
export function tilesWithin(bytes: number, tileBytes: number, shape: ConvShape, threads: number): number {
  const fitting = Math.floor(bytes / tileBytes / 2) * 2;
  const tasks = threads > 1 ? tasksPerThread * threads : 1;
  const shared = ceilDiv(tileCount(shape), 2 * tasks) * 2;
  return Math.max(2, Math.min(32, fitting, shared));
}

/** Floats with the 64 bytes that keep planes out of one cache set. */
const planeBytes = (floats: number): number => floats * 4 + 64;

/** Rows of patches of `tiles` tiles, transformed down their columns, and a row of zeros: as in assembly/winograd-input.ts. */
function stripBytes({ inChannels, outWidth }: ConvShape, tiles: number): number {
  const tileColumns = ceilDiv(outWidth, 4);
  const columns = 4 * tiles + 2 * (Math.floor((tiles - 1) / tileColumns) + 2);
  return 6 * planeBytes(columns * inChannels) + (4 * Math.min(tiles, tileColumns) + 2) * inChannels * 4;
}

/** Scratch of a Winograd task of `tiles` tiles: constants, a bias, strips of patches, six planes of V and of M, and rows of results. */
export function winogradScratchBytes(shape: ConvShape, tiles: number): number {
  const outPadded = padTo16(shape.outChannels);
  return align(192 + outPadded * 4 + stripBytes(shape, tiles) + 24 * tiles * (shape.inChannels + 5 * outPadded));
}

/** Scratch of a group of the Winograd filter gradient: constants, strips of patches and of dy, four rows of dy, six planes of V and of Y. */
export function winogradFilterScratchBytes(shape: ConvShape): number {
  const outPadded = padTo16(shape.outChannels);
  const planes =
    planeBytes(4 * filterTiles * outPadded) +
    planeBytes(filterTiles * padTo16(shape.inChannels)) +
    planeBytes(filterTiles * outPadded);
  const rows = 16 * Math.min(filterTiles, ceilDiv(shape.outWidth, 4)) * outPadded * 4;
  return align(192 + stripBytes(shape, filterTiles) + rows + 6 * planes);
}

/** Bytes of Winograd filter panels: 36 planes, each 64 bytes apart from the next. */
export function winogradPanelBytes(inner: number, columns: number): number {
  return 36 * (padTo16(columns) * inner * 4 + 64);
}

/**
 * Output rows of a block of the direct filter gradient: about 128 positions. Each of its tiles reads one cache line of x
 * and one of dy a position, over and over, which must stay in a small L1; fewer positions would show the loads and stores
 * of its accumulators.
 */
export function filterRows({ outWidth, outHeight }: ConvShape): number {
  return Math.max(1, Math.min(outHeight, Math.floor(128 / outWidth)));
}

/** Tiles that a block of the Winograd filter gradient sums before it touches its accumulators again. */
export const filterTiles = 64;

/**
 * Number of private partial sums of a filter gradient: one for every `positions` summed, at most 16 and one an image.
 * From shapes alone, so that the sum's tree is fixed; few where there is little to sum, since each costs a whole filter.
 */
export function filterGroups(batch: number, total: number, positions: number): number {
  return Math.max(1, Math.min(batch, 16, Math.floor(total / positions)));
}

/** Parts of each group of images of a filter gradient, of `images` images each, or 1 where that does not come out even. */
export function filterParts(batch: number, groups: number, images: number): number {
  const parts = batch / groups / Math.max(1, images);
  return Number.isInteger(parts) ? parts : 1;
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
