import type { Backend } from '@skiplane/core';
import type { Dataset, ImagesOn } from '@skiplane/resnet';
import { note } from '../output.ts';
import { formatCount } from '../render/format.ts';

/** Bytes that a backend may put around a tensor. */
const margin = 1024;

/**
 * Where to keep the images when nobody says: on a GPU, so that it never waits for the host, if they fit there; else on the
 * host, where the threads of the other backends are.
 */
export function chooseImagesOn(backend: Pick<Backend, 'name' | 'info'>, sets: readonly Dataset[]): ImagesOn {
  if (backend.name !== 'gpu') return 'host';
  const { maxStorageBufferBindingSize = 0, maxBufferSize = Number.POSITIVE_INFINITY } = backend.info.limits;
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  const bytes = Math.max(...sets.map(({ images }) => images.length));
  if (bytes + margin <= limit) return 'device';
  note(
    `The images have ${formatCount(bytes)} bytes, and one buffer of this device ${formatCount(limit)}: batches are put together on the host.`,
  );
  return 'host';
}
