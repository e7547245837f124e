import { ShapeError } from '../errors.ts';
import { byteLength, elementCount } from '../tensor.ts';
import { totalBytes } from './cost.ts';
import { expectShape, f32, notDifferentiable, operand, rank4 } from './infer.ts';
import type { OpDef } from './op-def.ts';

/** Numbers of one image's transform: two shifts of three each, and the flip. */
export const transformLength = 7;

/** A shift in pixels, and whether to flip afterwards. */
export interface ImageTransform {
  readonly dy: number;
  readonly dx: number;
  readonly flip: boolean;
}

/** Writes the transform of image `n` as an operand of {@link gatherImages}. */
export function writeTransform(transforms: Float32Array, n: number, { dy, dx, flip }: ImageTransform): void {
  const at = n * transformLength;
  writeSum(transforms, at, dy);
  writeSum(transforms, at + 3, dx);
  transforms[at + 6] = flip ? 1 : 0;
}

/** A number as the sum of three of float32, the largest first. */
function writeSum(target: Float32Array, at: number, value: number): void {
  const high = Math.fround(value);
  const middle = Math.fround(value - high);
  target[at] = high;
  target[at + 1] = middle;
  target[at + 2] = value - high - middle;
}

/**
 * A batch of images out of a data set of bytes: chosen by index, normalized, then shifted and flipped when `transformed`.
 *
 * z[h,w,c] = values[images[indices[n],h,w,c]] − mean[h,w,c]
 * x[n,h,w,c] = z sampled at (h + dy, w' + dx), clamped to the image's edges, with w' = width − 1 − w when flipped, else w:
 * order 0 takes the nearest pixel, ⌊coordinate + ½⌋, order 1 blends the two rows and then the two columns around it
 *
 * @shape images     u8 [count, height, width, channels]
 * @shape values     [256]: the number that each byte stands for
 * @shape mean       [height, width, channels]
 * @shape indices    i32 [batch], 0 to count − 1; the reference refuses others, kernels take the nearest that there is
 * @shape transforms [batch, 7], when `transformed`: dy as a sum of three numbers, dx as a sum of three numbers, flip (0 or 1).
 *   One float32 holds 24 bits, so that three, the largest first, hold every float64 shift exactly.
 * @shape returns    [batch, height, width, channels]
 * @units  shifts in pixels
 * @bound  order 0: u·|z|; order 1: u·(7·Σ weight·|z| + 2·Σ|z|) over the four pixels around, which may coincide
 * @throws {ShapeError} when sizes or element types do not agree
 * @source Keras ImageDataGenerator.apply_transform with fill_mode 'nearest'; scipy.ndimage.affine_transform
 */
export const gatherImages: OpDef<'gatherImages'> = {
  kind: 'gatherImages',
  operands: ({ transformed }) => ['images', 'values', 'mean', 'indices', ...(transformed ? ['transforms'] : [])],
  results: ['x'],
  infer(inputs, { transformed, interpolationOrder }) {
    const images = operand(inputs, 0, 'images', 'u8');
    const [, height, width, channels] = rank4(images, 'images', 'count,height,width,channels');
    expectShape(operand(inputs, 1, 'values'), 'values', [256], '(a number for each byte)');
    expectShape(operand(inputs, 2, 'mean'), 'mean', [height, width, channels], 'like an image');
    const indices = operand(inputs, 3, 'indices', 'i32');
    const [batch] = indices.shape;
    if (indices.shape.length !== 1 || batch === undefined) {
      throw new ShapeError(`indices must be [batch], but is [${indices.shape.join(',')}]`);
    }
    if (interpolationOrder !== 0 && interpolationOrder !== 1) {
      throw new ShapeError(`interpolationOrder of ${String(interpolationOrder)} must be 0 or 1`);
    }
    if (transformed) {
      const because = '(two shifts of three numbers each, and a flip, for each index)';
      expectShape(operand(inputs, 4, 'transforms'), 'transforms', [batch, transformLength], because);
    }
    return [f32([batch, height, width, channels])];
  },
  vjp: notDifferentiable('gatherImages'),
  cost([, ...small], outputs, { transformed, interpolationOrder }) {
    const pixels = outputs.reduce((sum, spec) => sum + elementCount(spec.shape), 0);
    // Of the data set only the bytes of the batch are read.
    const bytes = pixels + totalBytes(small) + outputs.reduce((sum, spec) => sum + byteLength(spec), 0);
    return { flops: pixels * (transformed && interpolationOrder === 1 ? 7 : 1), bytes };
  },
};
