import type { LaidOut } from './network-assembler.ts';

/** A copy with its axes in another order: axis i of the result is axis `order[i]` of the source. */
function transpose({ shape, data }: LaidOut, order: readonly number[]): LaidOut {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((count, size) => count * size, 1));
  const sizes = order.map((axis) => shape[axis] as number);
  const steps = order.map((axis) => strides[axis] as number);
  const out = new Float32Array(data.length);
  const index = sizes.map(() => 0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from] as number;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      if (index[axis] !== sizes[axis]) break;
      from -= (steps[axis] as number) * (sizes[axis] as number);
      index[axis] = 0;
    }
  }
  return { shape: sizes, data: out };
}

/** A filter [out, in, height, width] as [height, width, in, out]. */
export const filterFromOihw = (filter: LaidOut): LaidOut => transpose(filter, [2, 3, 1, 0]);

/** A kernel [units, features] as [features, units]. */
export const kernelFromRows = (kernel: LaidOut): LaidOut => transpose(kernel, [1, 0]);

/**
 * A kernel [channels·height·width, units], whose features are an image channel by channel, for features pixel by pixel.
 * @param image  [height, width, channels]
 */
export function kernelForPixels(
  { shape, data }: LaidOut,
  [height = 1, width = 1, channels = 1]: readonly number[],
): LaidOut {
  const [, units = 1] = shape;
  const { data: moved } = transpose({ shape: [channels, height, width, units], data }, [1, 2, 0, 3]);
  return { shape, data: moved };
}
