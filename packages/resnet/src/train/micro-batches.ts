import type { BatchBuffers } from '../data/batch-preparer.ts';
import type { GatherBuffers } from '../data/batch-source.ts';

/** Images of each part of a batch, as even as can be, the larger ones first. */
export function partSizes(batch: number, parts: number): readonly number[] {
  const [size, larger] = [Math.floor(batch / parts), batch % parts];
  return Array.from({ length: parts }, (_, part) => size + (part < larger ? 1 : 0));
}

/** Parts of a smaller batch, when a full one has some: none of them is larger. */
export const partsOf = (batch: number, full: number, parts: number): number => Math.ceil((batch * parts) / full);

/** The images from `first` on of a batch that has been prepared. */
export function sliceBatch<T extends BatchBuffers | GatherBuffers>(
  buffers: T,
  batch: number,
  first: number,
  count: number,
): T {
  const sliced = Object.entries(buffers).map(([name, data]: [string, Float32Array | Int32Array | null]) => {
    const stride = (data?.length ?? 0) / batch;
    return [name, data?.subarray(first * stride, (first + count) * stride) ?? null] as const;
  });
  return Object.fromEntries(sliced) as unknown as T;
}
