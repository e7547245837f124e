import { rank4 } from '../../ops/infer.ts';
import type { ReferenceKernel } from '../kernel.ts';
import { forEachTap, tapOf } from './conv.ts';
import { addToOutput } from './tap-products.ts';

const { fround } = Math;

/** The nearest whole number, of two the even one. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/** A NaN becomes `least`. */
function toByte(value: number, least: number): number {
  return value > least ? roundHalfEven(Math.min(value, 127)) : least;
}

export const quantize: ReferenceKernel<'quantize'> = (inputs, outputs, { multiplier }) => {
  const factor = fround(multiplier);
  const x = inputs.values('x');
  outputs.values('y').forEach((_, i, y) => {
    y[i] = toByte(fround(fround(x[i] as number) * factor), -127);
  });
};

export const dequantize: ReferenceKernel<'dequantize'> = (inputs, outputs, { scale }) => {
  const factor = fround(scale);
  const x = inputs.values('x');
  outputs.values('y').forEach((_, i, y) => {
    y[i] = fround((x[i] as number) * factor);
  });
};

export const quantizedConv2d: ReferenceKernel<'quantizedConv2d'> = (
  inputs,
  outputs,
  { window, residual: residualMultiplier, activation },
) => {
  const x = inputs.get('x');
  const filter = inputs.get('filter');
  const y = outputs.get('y');
  const [, , , channels] = rank4(y, 'y', 'batch,height,width,channels');
  const tap = tapOf(x, filter, y);
  y.values.fill(0);
  // Sums of whole numbers far below 2⁵³ are exact.
  forEachTap(x, filter, y, window, (xAt, filterAt, yAt) => addToOutput(tap, xAt, filterAt, yAt));
  const multiplier = inputs.values('multiplier');
  const bias = inputs.values('bias');
  const residual = inputs.optional('residual');
  const factor = fround(residualMultiplier ?? 0);
  const least = activation === 'relu' ? 0 : -127;
  y.values.forEach((sum, i) => {
    const k = i % channels;
    let value = fround(fround(fround(sum) * (multiplier[k] as number)) + (bias[k] as number));
    if (residual !== undefined) value = fround(value + fround((residual[i] as number) * factor));
    y.values[i] = toByte(value, least);
  });
};
