import type { SizedWindow2d, TensorSpec } from '@skiplane/core';
import { record, single, sizes4, spec, type Lower } from './lowering.ts';

/** Operands that all pooling kernels share: sizes of x and y, and the window. */
function pooling(x: TensorSpec, y: TensorSpec, { size, strides, padding }: SizedWindow2d) {
  const [, height, width, channels] = sizes4(x);
  const [, outHeight, outWidth] = sizes4(y);
  return {
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
  };
}

export const maxPool2d: Lower<'maxPool2d'> = ({ attrs, inputs, outputs }) => {
  const [batch, outHeight] = sizes4(spec(outputs, 0));
  const sizes = pooling(spec(inputs, 0), spec(outputs, 0), attrs.window);
  return single('maxPool2d', (at) => [
    record('maxPool2d', batch * outHeight, { x: at.input(0), y: at.output(0), ...sizes }),
  ]);
};

export const maxPool2dGrad: Lower<'maxPool2dGrad'> = ({ attrs, inputs, outputs }) => {
  const [batch] = sizes4(spec(outputs, 0));
  const sizes = pooling(spec(outputs, 0), spec(inputs, 0), attrs.window);
  return single('maxPool2dGrad', (at) => [
    record('maxPool2dGrad', batch, { dy: at.input(0), x: at.input(1), y: at.input(2), dx: at.output(0), ...sizes }),
  ]);
};

export const averagePool2d: Lower<'averagePool2d'> = ({ attrs, inputs, outputs }) => {
  const [batch, outHeight] = sizes4(spec(outputs, 0));
  const sizes = pooling(spec(inputs, 0), spec(outputs, 0), attrs.window);
  return single('averagePool2d', (at) => [
    record('averagePool2d', batch * outHeight, { x: at.input(0), y: at.output(0), ...sizes }),
  ]);
};

export const averagePool2dGrad: Lower<'averagePool2dGrad'> = ({ attrs, inputs, outputs }) => {
  const [batch] = sizes4(spec(outputs, 0));
  const sizes = pooling(spec(outputs, 0), spec(inputs, 0), attrs.window);
  return single('averagePool2dGrad', (at) => [
    record('averagePool2dGrad', batch, { dy: at.input(0), dx: at.output(0), ...sizes }),
  ]);
};
