import type { BackwardPhase } from './conv-phases.ts';
import { padTo, vectorsOf, type ConvShape } from './conv-shape.ts';
import { epilogueBindings, epilogueConstants, type Epilogue } from './channels.ts';
import { ceilDiv, fold, type Binding } from './lowering.ts';
import { workgroupSize, type Plan } from './plan.ts';

/** Pixels and output channels of one invocation of conv-direct. */
const tile = { pixels: 8, columns: 8 } as const;

/** How filter-pack addresses a filter. */
interface FilterView {
  readonly taps: BackwardPhase['taps'];
  readonly filterWidth: number;
  readonly tapStride: number;
  readonly innerStride: number;
  readonly columnStride: number;
}

/** Where results go in y. */
interface Store {
  readonly storeHeight: number;
  readonly storeWidth: number;
  readonly storeStride: number;
  readonly storeTop: number;
  readonly storeLeft: number;
}

export interface DirectPass {
  readonly shape: ConvShape;
  readonly view: FilterView;
  readonly store: Store;
  readonly x: Binding;
  readonly filter: Binding;
  readonly y: Binding;
  readonly epilogue: Epilogue;
}

/** One convolution by implicit matrix product, of images with whole vectors of channels: packs the filter, then computes. */
export function addDirectPass(plan: Plan, { shape, view, store, x, filter, y, epilogue }: DirectPass): void {
  const { batch, height, width, inChannels, outChannels, outHeight, outWidth, filterHeight, filterWidth } = shape;
  const innerPadded = padTo(inChannels, 4);
  const columnVectors = padTo(outChannels, tile.columns) / 4;
  const packed = filterHeight * filterWidth * innerPadded * columnVectors;
  const panels = packed === 0 ? x : plan.workspace(packed * 4);
  if (packed > 0) {
    plan.add({
      shader: 'filter-pack',
      constants: {
        tapRows: filterHeight,
        tapColumns: filterWidth,
        ...view.taps,
        filterWidth: view.filterWidth,
        tapStride: view.tapStride,
        inner: inChannels,
        innerStride: view.innerStride,
        innerPadded,
        columns: outChannels,
        columnStride: view.columnStride,
        columnVectors,
      },
      bindings: [filter, panels],
      workgroups: fold(ceilDiv(packed, workgroupSize)),
    });
  }
  const tiles = ceilDiv(batch * outHeight * outWidth, tile.pixels) * ceilDiv(outChannels, tile.columns);
  plan.add({
    shader: 'conv-direct',
    constants: {
      batch,
      height,
      width,
      vectors: vectorsOf(inChannels),
      tapRows: filterHeight,
      tapColumns: filterWidth,
      strideHeight: shape.strideHeight,
      strideWidth: shape.strideWidth,
      padTop: shape.padTop,
      padLeft: shape.padLeft,
      outHeight,
      outWidth,
      outVectors: vectorsOf(outChannels),
      ...store,
      ...epilogueConstants(epilogue),
    },
    bindings: [x, panels, ...epilogueBindings(epilogue, panels), y],
    workgroups: fold(ceilDiv(tiles, workgroupSize)),
  });
}
