import type { BoundProgram } from '../bound-program.ts';
import type { BatchBuffers } from './batch-preparer.ts';
import type { GatherBuffers } from './batch-source.ts';

/** Copies a batch to the inputs of a program, which reads its images from where the buffers say. */
export function writeBatch(bound: BoundProgram, buffers: BatchBuffers | GatherBuffers): void {
  bound.write('labels', buffers.labels);
  if ('images' in buffers) {
    bound.write('x', buffers.images);
    return;
  }
  bound.write('indices', buffers.indices);
  if (buffers.transforms !== null) bound.write('transforms', buffers.transforms);
}
