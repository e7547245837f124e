import { nhwc, rank4 } from '../../ops/infer.ts';
import type { Window2d } from '../../ops/attrs.ts';
import type { Operand, ReferenceKernel } from '../kernel.ts';
import { addBias } from './bias.ts';
import { addInPlace, maskBySign, reluInPlace } from './elementwise.ts';
import { addToFilter, addToInput, addToOutput, type Tap } from './tap-products.ts';

const hwio = 'height,width,inChannels,outChannels';

export function tapOf(x: Operand, filter: Operand, y: Operand): Tap {
  const [, , inChannels, outChannels] = rank4(filter, 'filter', hwio);
  return { xs: x.values, filters: filter.values, ys: y.values, inChannels, outChannels };
}

/**
 * Visits every pair of an output position and a filter position that meets the image: offsets of x[n,h,w,0], filter[r,s,0,0]
 * and y[n,i,j,0] with h = i·strideH + r − padTop and w = j·strideW + s − padLeft.
 */
export function forEachTap(
  x: Operand,
  filter: Operand,
  y: Operand,
  { strides: [strideH, strideW], padding }: Window2d,
  visit: (xAt: number, filterAt: number, yAt: number) => void,
): void {
  const [batch, height, width, inChannels] = rank4(x, 'x', nhwc);
  const [filterHeight, filterWidth, , outChannels] = rank4(filter, 'filter', hwio);
  const [, outHeight, outWidth] = rank4(y, 'y', nhwc);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        const yAt = ((n * outHeight + i) * outWidth + j) * outChannels;
        for (let r = 0; r < filterHeight; r++) {
          const h = i * strideH + r - padding.top;
          if (h < 0 || h >= height) continue;
          for (let s = 0; s < filterWidth; s++) {
            const w = j * strideW + s - padding.left;
            if (w < 0 || w >= width) continue;
            const xAt = ((n * height + h) * width + w) * inChannels;
            visit(xAt, (r * filterWidth + s) * inChannels * outChannels, yAt);
          }
        }
      }
    }
  }
}

export const conv2d: ReferenceKernel<'conv2d'> = (inputs, outputs, { window, activation }) => {
  const x = inputs.get('x');
  const filter = inputs.get('filter');
  const y = outputs.get('y');
  const tap = tapOf(x, filter, y);
  y.values.fill(0);
  forEachTap(x, filter, y, window, (xAt, filterAt, yAt) => addToOutput(tap, xAt, filterAt, yAt));
  const bias = inputs.optional('bias');
  if (bias !== undefined) addBias(y.values, bias);
  addInPlace(y.values, inputs.optional('residual'));
  if (activation === 'relu') reluInPlace(y.values);
};

export const conv2dBackpropInput: ReferenceKernel<'conv2dBackpropInput'> = (inputs, outputs, { window }) => {
  const filter = inputs.get('filter');
  const dy = inputs.get('dy');
  const dx = outputs.get('dx');
  const tap = tapOf(dx, filter, dy);
  dx.values.fill(0);
  forEachTap(dx, filter, dy, window, (dxAt, filterAt, dyAt) => addToInput(tap, dxAt, filterAt, dyAt));
  addInPlace(dx.values, inputs.optional('residual'));
  const y = inputs.optional('y');
  if (y !== undefined) maskBySign(dx.values, dx.values, y);
};

export const conv2dBackpropFilter: ReferenceKernel<'conv2dBackpropFilter'> = (inputs, outputs, { window }) => {
  const x = inputs.get('x');
  const dy = inputs.get('dy');
  const dFilter = outputs.get('dFilter');
  const tap = tapOf(x, dFilter, dy);
  dFilter.values.fill(0);
  forEachTap(x, dFilter, dy, window, (xAt, filterAt, dyAt) => addToFilter(tap, xAt, filterAt, dyAt));
};
