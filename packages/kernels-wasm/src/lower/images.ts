import { align, record, sizes4, spec, type Lower } from './lowering.ts';

/** Bytes of a column's place: see assembly/images.ts. */
const columnBytes = 16;

export const gatherImages: Lower<'gatherImages'> = ({ attrs: { transformed, interpolationOrder }, inputs }) => {
  const [count, height, width, channels] = sizes4(spec(inputs, 0));
  const [batch = 0] = spec(inputs, 3).shape;
  // Rows are blended in pairs, so the image and the row have room for one element more.
  const rowOffset = align((height * width * channels + 1) * 4);
  const columnOffset = rowOffset + align((width * channels + 1) * 8);
  return {
    kernels: [transformed ? `gatherImages.order-${interpolationOrder}` : 'gatherImages.still'],
    workspaceBytes: 0,
    scratchBytes: transformed ? columnOffset + align(width * columnBytes) : 0,
    records: (at) => [
      record('gatherImages', batch, {
        images: at.input(0),
        values: at.input(1),
        mean: at.input(2),
        indices: at.input(3),
        transforms: transformed ? at.input(4) : 0,
        x: at.output(0),
        count,
        height,
        width,
        channels,
        order: interpolationOrder,
        rowOffset,
        columnOffset,
      }),
    ],
  };
};
