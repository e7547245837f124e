import type { Dataset } from '@skiplane/resnet';
import sharp from 'sharp';

/** One image of a data set as a PNG file, pixel by pixel. */
export async function pngOf({ images, height, width, channels }: Dataset, index: number): Promise<Buffer> {
  const size = height * width * channels;
  const pixels = images.subarray(index * size, (index + 1) * size);
  return await sharp(pixels, { raw: { width, height, channels: channels as 1 | 3 } })
    .png()
    .toBuffer();
}
