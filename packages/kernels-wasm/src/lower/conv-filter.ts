import {
  filterGroups,
  filterParts,
  filterRows,
  filterScratchBytes,
  filterTiles,
  padTo16,
  tileCount,
  useWinograd,
  windowShape,
  winogradPanelBytes,
  winogradFilterScratchBytes,
} from './conv-plan.ts';
import { ceilDiv, equalShares, record, spec, type Lower } from './lowering.ts';

export const conv2dBackpropFilter: Lower<'conv2dBackpropFilter'> = ({
  attrs: { window },
  inputs,
  outputs,
  options,
}) => {
  const dFilter = spec(outputs, 0).shape;
  const shape = windowShape(spec(inputs, 0).shape, dFilter, spec(inputs, 1).shape, window);
  const { inChannels, outChannels, filterHeight, filterWidth } = shape;
  if (useWinograd(shape, options.conv)) {
    const groups = filterGroups(shape.batch, tileCount(shape), filterTiles);
    const tilesPerBlock = filterTiles;
    const sequence = filterParts(shape.batch, groups, Math.floor((tilesPerBlock * shape.batch) / tileCount(shape)));
    return {
      kernels: ['conv2dBackpropFilter.winograd-4x4'],
      workspaceBytes: groups * winogradPanelBytes(inChannels, outChannels),
      scratchBytes: winogradFilterScratchBytes(shape),
      records: (at) => [
        record(
          'winogradFilterGrad',
          groups * sequence,
          {
            ...shape,
            x: at.input(0),
            dy: at.input(1),
            partials: at.workspace,
            groups,
            parts: sequence,
            tilesPerBlock,
          },
          { images: equalShares(shape.batch, groups), sequence },
        ),
        record('winogradFilterGradSum', inChannels / 4, {
          partials: at.workspace,
          dFilter: at.output(0),
          groups,
          inChannels,
          outChannels,
        }),
      ],
    };
  }
  const groups = filterGroups(shape.batch, shape.batch * shape.outHeight * shape.outWidth, 512);
  const run = filterWidth * inChannels;
  const rowsPerBlock = filterRows(shape);
  const sequence = filterParts(shape.batch, groups, 1);
  return {
    kernels: ['conv2dBackpropFilter.direct-2x16'],
    workspaceBytes: groups * filterHeight * (run + (run % 2)) * padTo16(outChannels) * 4,
    scratchBytes: filterScratchBytes(shape, rowsPerBlock),
    records: (at) => [
      record(
        'filterDirect',
        groups * sequence,
        {
          ...shape,
          x: at.input(0),
          dy: at.input(1),
          partials: at.workspace,
          groups,
          parts: sequence,
          rowsPerBlock,
        },
        { images: equalShares(shape.batch, groups), sequence },
      ),
      record('filterDirectSum', filterHeight * ceilDiv(run, 8), {
        partials: at.workspace,
        dFilter: at.output(0),
        groups,
        filterHeight,
        run,
        outChannels,
      }),
    ],
  };
};
