import type { LaidOut } from './network-assembler.ts';
import { gatherStrided, rowByRowStrides } from './strided.ts';

/** A copy with its axes in another order: axis i of the result is axis `order[i]` of the source. */
function transpose({ shape, read, ...named }: LaidOut, order: readonly number[]): LaidOut {
  const strides = rowByRowStrides(shape);
  const sizes = order.map((axis) => shape[axis] as number);
  const steps = order.map((axis) => strides[axis] as number);
  return {
    ...named,
    shape: sizes,
    read() {
      const data = read();
      return gatherStrided(data, sizes, steps, data.length);
    },
  };
}

/** A filter [out, in, height, width] as [height, width, in, out]. */
export const filterFromOihw = (filter: LaidOut): LaidOut => transpose(filter, [2, 3, 1, 0]);

/** A filter [height, width, in, out] as [out, in, height, width]. */
export const filterToOihw = (filter: LaidOut): LaidOut => transpose(filter, [3, 2, 0, 1]);

/** A kernel [units, features] as [features, units]. */
export const kernelFromRows = (kernel: LaidOut): LaidOut => transpose(kernel, [1, 0]);

/**
 * A kernel [channels·height·width, units], whose features are an image channel by channel, for features pixel by pixel.
 * @param image  [height, width, channels]
 */
export function kernelForPixels(
  { shape, read, ...named }: LaidOut,
  [height = 1, width = 1, channels = 1]: readonly number[],
): LaidOut {
  const [, units = 1] = shape;
  const moved = transpose({ shape: [channels, height, width, units], read }, [1, 2, 0, 3]);
  return { ...named, shape, read: moved.read };
}
