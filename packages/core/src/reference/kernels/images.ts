import { ValueError } from '../../errors.ts';
import type { InterpolationOrder, OpAttrs } from '../../ops/attrs.ts';
import { transformLength } from '../../ops/images.ts';
import { rank4 } from '../../ops/infer.ts';
import type { Operands, ReferenceKernel } from '../kernel.ts';

/** One end of a blend: where it lies along its axis, and how much of it. */
interface Sample {
  readonly at: number;
  readonly weight: number;
}

interface Transform {
  readonly dy: number;
  readonly dx: number;
  readonly flip: boolean;
}

const still: Transform = { dy: 0, dx: 0, flip: false };

export const gatherImages: ReferenceKernel<'gatherImages'> = (inputs, outputs, attrs) =>
  gather(inputs, outputs, attrs, (z) => z);

/** Σ weight·|z|. */
export const gatherMagnitudes: ReferenceKernel<'gatherImages'> = (inputs, outputs, attrs) =>
  gather(inputs, outputs, attrs, Math.abs);

function gather(
  inputs: Operands,
  outputs: Operands,
  { interpolationOrder }: OpAttrs['gatherImages'],
  term: (z: number) => number,
): void {
  const images = inputs.get('images');
  const [count, height, width, channels] = rank4(images, 'images', 'count,height,width,channels');
  const [values, mean, indices] = [inputs.values('values'), inputs.values('mean'), inputs.values('indices')];
  const transforms = inputs.optional('transforms');
  const x = outputs.values('x');
  indices.forEach((index, n) => {
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new ValueError(
        `gatherImages: index ${index} of image ${n} must be 0 to ${count - 1}, as images has ${count}.`,
        {
          index,
          count,
        },
      );
    }
    const { dy, dx, flip } = transforms === undefined ? still : readTransform(transforms, n);
    for (let h = 0; h < height; h++) {
      const rows = samples(h + dy, height, interpolationOrder);
      for (let w = 0; w < width; w++) {
        const columns = samples((flip ? width - 1 - w : w) + dx, width, interpolationOrder);
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (const column of columns) {
            let blended = 0;
            for (const row of rows) {
              const pixel = (row.at * width + column.at) * channels + c;
              const byte = images.values[index * mean.length + pixel] as number;
              blended += row.weight * term((values[byte] as number) - (mean[pixel] as number));
            }
            sum += column.weight * blended;
          }
          x[((n * height + h) * width + w) * channels + c] = sum;
        }
      }
    }
  });
}

/** The transform of image n. @throws {ValueError} when a shift is not finite */
function readTransform(transforms: Float64Array, n: number): Transform {
  const at = (i: number): number => transforms[n * transformLength + i] as number;
  const [dy, dx] = [at(0) + at(1) + at(2), at(3) + at(4) + at(5)];
  if (!Number.isFinite(dy) || !Number.isFinite(dx)) {
    throw new ValueError(`gatherImages: the shift of image ${n} is (${dy}, ${dx}), but must be finite.`, { dy, dx });
  }
  return { dy, dx, flip: at(6) !== 0 };
}

/** What a coordinate takes along an axis, clamped to its ends. */
function samples(coordinate: number, size: number, order: InterpolationOrder): readonly Sample[] {
  const clamped = Math.min(Math.max(coordinate, 0), size - 1);
  if (order === 0) return [{ at: Math.floor(clamped + 0.5), weight: 1 }];
  const first = Math.floor(clamped);
  const weight = clamped - first;
  return weight === 0
    ? [{ at: first, weight: 1 }]
    : [
        { at: first, weight: 1 - weight },
        { at: first + 1, weight },
      ];
}
