import { withWholeVectors } from './channels.ts';
import { padTo, vectorsOf, windowShape, type ConvShape } from './conv-shape.ts';
import { addInputTransform, planes, tilesOf, useWinograd } from './conv-winograd.ts';
import { ceilDiv, fold, input, output, spec, type Binding, type Lower } from './lowering.ts';
import { Plan, workgroupSize } from './plan.ts';

/** Channels of x and of dy of one invocation of filter-grad-direct and winograd-filter-gemm. */
const tile = { inner: 8, columns: 16 } as const;

/** Chunks of a filter's gradient at the most: each costs a whole filter. */
const maxChunks = 64;

/** Terms of a chunk at the least. */
const chunkPositions = 128;
const chunkTiles = 32;

export const conv2dBackpropFilter: Lower<'conv2dBackpropFilter'> = ({
  attrs: { window },
  inputs,
  outputs,
  options,
}) => {
  const shape = windowShape(spec(inputs, 0).shape, spec(outputs, 0).shape, spec(inputs, 1).shape, window);
  const { batch, height, width, inChannels, outHeight, outWidth, outChannels } = shape;
  const winograd = useWinograd(shape, options);
  const plan = new Plan(winograd ? 'conv2dBackpropFilter.winograd-4x4' : 'conv2dBackpropFilter.direct-8x16');
  const x = withWholeVectors(plan, input(0), batch * height * width, inChannels);
  const dy = withWholeVectors(plan, input(1), batch * outHeight * outWidth, outChannels);
  if (winograd) addWinograd(plan, shape, x, dy);
  else addDirect(plan, shape, x, dy);
  return plan.finish();
};

function addDirect(plan: Plan, shape: ConvShape, x: Binding, dy: Binding): void {
  const { batch, height, width, inChannels, filterHeight, filterWidth, outHeight, outWidth, outChannels } = shape;
  const taps = filterHeight * filterWidth;
  const rows = batch * outHeight;
  const rowsPerChunk = Math.max(ceilDiv(chunkPositions, outWidth), ceilDiv(rows, maxChunks));
  const chunks = ceilDiv(rows, rowsPerChunk);
  const inPadded = padTo(inChannels, tile.inner);
  const outVectors = padTo(outChannels, tile.columns) / 4;
  const partials = plan.workspace(chunks * taps * inPadded * outVectors * 4);
  plan.add({
    shader: 'filter-grad-direct',
    constants: {
      batch,
      height,
      width,
      vectors: vectorsOf(inChannels),
      filterHeight,
      filterWidth,
      strideHeight: shape.strideHeight,
      strideWidth: shape.strideWidth,
      padTop: shape.padTop,
      padLeft: shape.padLeft,
      outHeight,
      outWidth,
      outVectors: vectorsOf(outChannels),
      chunks,
      rowsPerChunk,
    },
    bindings: [x, dy, partials],
    workgroups: fold(
      ceilDiv(chunks * taps * (inPadded / tile.inner) * ((outVectors * 4) / tile.columns), workgroupSize),
    ),
  });
  plan.add({
    shader: 'filter-grad-sum',
    constants: { chunks, taps, inChannels, inPadded, outChannels, outVectors },
    bindings: [partials, output(0)],
    workgroups: fold(ceilDiv(taps * inChannels * vectorsOf(outChannels), workgroupSize)),
  });
}

/** The transpose of the forward algorithm: dW = Gᵀ[Σ_tiles (Bᵀ x B) ⊙ (A·dY·Aᵀ)]G. */
function addWinograd(plan: Plan, shape: ConvShape, x: Binding, dy: Binding): void {
  const { batch, inChannels, outChannels, outHeight, outWidth } = shape;
  const { tileRows, tileColumns, tiles } = tilesOf(shape);
  const gradVectors = vectorsOf(outChannels);
  const v = addInputTransform(plan, shape, x);
  const g = plan.workspace(planes * tiles * gradVectors * 4);
  plan.add({
    shader: 'winograd-grad',
    constants: { batch, outHeight, outWidth, vectors: gradVectors, tileRows, tileColumns },
    bindings: [dy, g],
    workgroups: fold(ceilDiv(tiles * gradVectors, workgroupSize)),
  });
  const tilesPerChunk = padTo(Math.max(chunkTiles, ceilDiv(tiles, maxChunks)), 4);
  const chunks = ceilDiv(tiles, tilesPerChunk);
  const inPadded = padTo(inChannels, tile.inner);
  const outVectors = padTo(outChannels, tile.columns) / 4;
  const partials = plan.workspace(chunks * planes * inPadded * outVectors * 4);
  const [groupsX, groupsY] = fold(
    ceilDiv(chunks * (inPadded / tile.inner) * ((outVectors * 4) / tile.columns), workgroupSize),
  );
  plan.add({
    shader: 'winograd-filter-gemm',
    constants: { tiles, vectors: vectorsOf(inChannels), outVectors: gradVectors, chunks, tilesPerChunk },
    bindings: [v, g, partials],
    workgroups: [groupsX, groupsY, planes],
  });
  plan.add({
    shader: 'winograd-filter-sum',
    constants: { chunks, inChannels, inPadded, outChannels, outVectors },
    bindings: [partials, output(0)],
    workgroups: fold(ceilDiv(inChannels * gradVectors, workgroupSize)),
  });
}
