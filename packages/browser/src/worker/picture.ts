import { FormatError, ValueError } from '@skiplane/core';
import type { Model } from '@skiplane/resnet';

/** A file, a frame of a camera, what a canvas holds, or the pixels themselves, of the network's size: height × width × channels. */
export type Picture = Blob | ImageBitmap | ImageData | Uint8Array;

/**
 * A picture's pixels, 0 to 255, at the network's size: cut to its shape around the middle, with white behind what is transparent.
 * @shape returns  [height, width, channels]
 * @throws {FormatError} when the browser cannot decode it
 * @throws {ValueError} when pixels are not of the network's size
 */
export async function picturePixels(picture: Picture, { name, imageSize, channels }: Model): Promise<Uint8Array> {
  const [height, width] = imageSize;
  if (picture instanceof Uint8Array) {
    const size = height * width * channels;
    if (picture.length === size) return picture;
    throw new ValueError(
      `a picture for ${name} has ${size} bytes (${height}×${width}×${channels}), but ${picture.length} were given.`,
    );
  }
  if (channels !== 3)
    throw new ValueError(`${name} takes pictures of ${channels} channels: give their pixels as bytes.`);
  const bitmap = await decoded(picture);
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (context === null) throw new FormatError('the browser gives no canvas to shrink the picture on.');
  const scale = Math.max(width / bitmap.width, height / bitmap.height);
  const [sourceWidth, sourceHeight] = [width / scale, height / scale];
  context.fillStyle = 'white';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(
    bitmap,
    (bitmap.width - sourceWidth) / 2,
    (bitmap.height - sourceHeight) / 2,
    sourceWidth,
    sourceHeight,
    0,
    0,
    width,
    height,
  );
  bitmap.close();
  return withoutAlpha(context.getImageData(0, 0, width, height).data);
}

async function decoded(picture: Blob | ImageBitmap | ImageData): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(picture);
  } catch (error) {
    throw new FormatError(
      `the picture cannot be decoded: ${(error as Error).message} Browsers read PNG, JPEG, WebP and GIF.`,
      {},
      error,
    );
  }
}

function withoutAlpha(rgba: Uint8ClampedArray): Uint8Array {
  const pixels = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    for (let channel = 0; channel < 3; channel++) pixels[to++] = rgba[from + channel] as number;
  }
  return pixels;
}
