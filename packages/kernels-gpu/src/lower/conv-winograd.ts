import { epilogueBindings, epilogueConstants, type Epilogue } from './channels.ts';
import { padTo, vectorsOf, type ConvShape } from './conv-shape.ts';
import { ceilDiv, fold, type Binding, type LowerOptions } from './lowering.ts';
import { gemmTile, workgroupSize, type Plan } from './plan.ts';

/** Planes of a transformed 6×6 patch. */
export const planes = 36;

export interface Tiles {
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly tiles: number;
}

export function tilesOf({ batch, outHeight, outWidth }: ConvShape): Tiles {
  const tileRows = ceilDiv(outHeight, 4);
  const tileColumns = ceilDiv(outWidth, 4);
  return { tileRows, tileColumns, tiles: batch * tileRows * tileColumns };
}

/**
 * Whether F(4×4,3×3) can compute it: 3×3, stride 1, and the transformed images fit into a binding. With fewer than four inner
 * channels it cannot win, and its sums have so few terms that the transforms' rounding leaves the bound.
 */
function winogradApplies(shape: ConvShape, { limits }: LowerOptions): boolean {
  const { filterHeight, filterWidth, strideHeight, strideWidth, inChannels, outChannels } = shape;
  const isThree = filterHeight === 3 && filterWidth === 3 && strideHeight === 1 && strideWidth === 1;
  const largest = planes * tilesOf(shape).tiles * 4 * 4 * Math.max(vectorsOf(inChannels), vectorsOf(outChannels));
  return isThree && inChannels >= 4 && largest <= limits.maxStorageBufferBindingSize;
}

/**
 * Whether F(4×4,3×3) is the cheaper way: in units of direct multiply-adds, its products are 36/144 of the tiles' area,
 * and the transforms cost about as much as 40 multiply-adds a tile element and channel.
 */
function winogradWins(shape: ConvShape): boolean {
  const { batch, outHeight, outWidth } = shape;
  const inChannels = padTo(shape.inChannels, 4);
  const outChannels = padTo(shape.outChannels, 4);
  const tileArea = tilesOf(shape).tiles * 16;
  const direct = batch * outHeight * outWidth * 9 * inChannels * outChannels;
  const products = (tileArea * 9 * inChannels * outChannels) / 4;
  const transforms = tileArea * 18 * (inChannels + outChannels);
  return products + transforms < direct;
}

export function useWinograd(shape: ConvShape, options: LowerOptions): boolean {
  if (options.conv === 'direct' || !winogradApplies(shape, options)) return false;
  return options.conv === 'winograd' || winogradWins(shape);
}

/** V = Bᵀ x B of every patch: [planes][tiles][inChannels padded to 4]. */
export function addInputTransform(plan: Plan, shape: ConvShape, x: Binding): Binding {
  const { batch, height, width, inChannels, padTop, padLeft } = shape;
  const { tileRows, tileColumns, tiles } = tilesOf(shape);
  const vectors = vectorsOf(inChannels);
  const v = plan.workspace(planes * tiles * vectors * 4);
  plan.add({
    shader: 'winograd-input',
    constants: { batch, height, width, vectors, padTop, padLeft, tileRows, tileColumns },
    bindings: [x, v],
    workgroups: fold(ceilDiv(tiles * vectors, workgroupSize)),
  });
  return v;
}

export interface WinogradPass {
  readonly shape: ConvShape;
  readonly x: Binding;
  readonly filter: Binding;
  /** The filter has its taps flipped and its channels exchanged: the gradient with respect to the input. */
  readonly backward: boolean;
  readonly y: Binding;
  readonly epilogue: Epilogue;
}

/** One 3×3 convolution at stride 1 by F(4×4,3×3), of images with whole vectors of channels. */
export function addWinogradPass(plan: Plan, { shape, x, filter, backward, y, epilogue }: WinogradPass): void {
  const { batch, inChannels, outChannels, outHeight, outWidth } = shape;
  const { tileRows, tileColumns, tiles } = tilesOf(shape);
  const innerVectors = vectorsOf(inChannels);
  const outVectors = vectorsOf(outChannels);
  const columnVectors = padTo(outChannels, gemmTile.columns) / 4;
  const innerPadded = innerVectors * 4;

  const u = plan.workspace(planes * innerPadded * columnVectors * 4);
  plan.add({
    shader: 'winograd-filter',
    constants: { inner: inChannels, columns: outChannels, innerPadded, columnVectors, backward: Number(backward) },
    bindings: [filter, u],
    workgroups: fold(ceilDiv(innerPadded * columnVectors, workgroupSize)),
  });
  const v = addInputTransform(plan, shape, x);
  const m = plan.workspace(planes * tiles * outVectors * 4);
  const [groupsX, groupsY] = fold(
    ceilDiv(ceilDiv(tiles, gemmTile.rows) * ceilDiv(outChannels, gemmTile.columns), workgroupSize),
  );
  plan.add({
    shader: 'gemm',
    constants: { rows: tiles, innerVectors, columnVectors: outVectors },
    bindings: [v, u, m],
    workgroups: [groupsX, groupsY, planes],
  });
  plan.add({
    shader: 'winograd-output',
    constants: {
      batch,
      outHeight,
      outWidth,
      vectors: outVectors,
      tileRows,
      tileColumns,
      ...epilogueConstants(epilogue),
    },
    bindings: [m, ...epilogueBindings(epilogue, m), y],
    workgroups: fold(ceilDiv(tiles * outVectors, workgroupSize)),
  });
}
