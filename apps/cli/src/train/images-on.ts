import type { Backend } from '@skiplane/core';
import { isForDevice, type AugmentationSettings, type Dataset, type ImagesOn } from '@skiplane/resnet';
import { note } from '../output.ts';
import { formatCount } from '../render/format.ts';

/** Bytes that a backend may put around a tensor. */
const margin = 1024;

/**
 * Where to keep the images when nobody says: on a GPU, so that it never waits for the host, if they fit there and it can do
 * what the recipe does with them; else on the host, where the threads of the other backends are.
 */
export function chooseImagesOn(
  backend: Pick<Backend, 'name' | 'info'>,
  sets: readonly Dataset[],
  augmentation: AugmentationSettings,
): ImagesOn {
  if (backend.name !== 'gpu') return 'host';
  if (!isForDevice(augmentation)) {
    note(
      'The recipe crops its images, and a device can only shift and flip them: batches are put together on the host.',
    );
    return 'host';
  }
  const { maxStorageBufferBindingSize = 0, maxBufferSize = Number.POSITIVE_INFINITY } = backend.info.limits;
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  const bytes = Math.max(...sets.map(({ images }) => images.length));
  if (bytes + margin <= limit) return 'device';
  note(
    `The images have ${formatCount(bytes)} bytes, and one buffer of this device ${formatCount(limit)}: batches are put together on the host.`,
  );
  return 'host';
}
