import { elementCount } from '@skiplane/core';
import { ceilDiv, fold, input, output, single, sizes4, spec, type Lower } from './lowering.ts';

export const gatherImages: Lower<'gatherImages'> = ({ attrs, inputs, outputs }) => {
  const { transformed, interpolationOrder } = attrs;
  const [images, height, width, channels] = sizes4(spec(inputs, 0));
  const count = elementCount(spec(outputs, 0).shape);
  const bindings = [...inputs.map((_, index) => input(index)), output(0)];
  const workgroups = fold(ceilDiv(count, 64));
  if (!transformed) {
    const constants = { count, images, size: height * width * channels };
    return single('gather-images-still', { shader: 'gather-images-still', constants, bindings, workgroups });
  }
  const constants = { count, images, height, width, channels, nearest: Number(interpolationOrder === 0) };
  return single(`gather-images.order-${interpolationOrder}`, {
    shader: 'gather-images',
    constants,
    bindings,
    workgroups,
  });
};
