import { elementCount, type SizedWindow2d, type TensorSpec } from '@skiplane/core';
import type { ShaderName } from '../generated/sources.ts';
import { ceilDiv, fold, input, output, single, sizes4, spec, type Lower, type Lowering } from './lowering.ts';

/** One invocation an element of the output: inputs in order, then the output. */
function pooling(
  shader: ShaderName,
  { x, y, result, inputs }: { x: TensorSpec; y: TensorSpec; result: TensorSpec; inputs: number },
  { size, strides, padding }: SizedWindow2d,
): Lowering {
  const [, height, width, channels] = sizes4(x);
  const [, outHeight, outWidth] = sizes4(y);
  const count = elementCount(result.shape);
  return single(shader, {
    shader,
    constants: {
      count,
      height,
      width,
      channels,
      outHeight,
      outWidth,
      windowHeight: size[0],
      windowWidth: size[1],
      strideHeight: strides[0],
      strideWidth: strides[1],
      padTop: padding.top,
      padLeft: padding.left,
    },
    bindings: [...Array.from({ length: inputs }, (_, index) => input(index)), output(0)],
    workgroups: fold(ceilDiv(count, 64)),
  });
}

export const maxPool2d: Lower<'maxPool2d'> = ({ attrs, inputs, outputs }) => {
  const [x, y] = [spec(inputs, 0), spec(outputs, 0)];
  return pooling('max-pool2d', { x, y, result: y, inputs: 1 }, attrs.window);
};

export const maxPool2dGrad: Lower<'maxPool2dGrad'> = ({ attrs, inputs, outputs }) => {
  const [x, y] = [spec(outputs, 0), spec(inputs, 0)];
  return pooling('max-pool2d-grad', { x, y, result: x, inputs: 3 }, attrs.window);
};

export const averagePool2d: Lower<'averagePool2d'> = ({ attrs, inputs, outputs }) => {
  const [x, y] = [spec(inputs, 0), spec(outputs, 0)];
  return pooling('average-pool2d', { x, y, result: y, inputs: 1 }, attrs.window);
};

export const averagePool2dGrad: Lower<'averagePool2dGrad'> = ({ attrs, inputs, outputs }) => {
  const [x, y] = [spec(outputs, 0), spec(inputs, 0)];
  return pooling('average-pool2d-grad', { x, y, result: x, inputs: 1 }, attrs.window);
};
