import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodePictures } from '../src/images/decode.ts';
import type { Fit } from '../src/images/fit.ts';

const size = [32, 32] as const;
const random = Uint8Array.from({ length: 32 * 32 * 3 }, (_, index) => (index * 7919 + ((index * index) % 251)) % 256);
const raw = (pixels: Uint8Array, width: number, height: number, channels: 1 | 2 | 3 | 4): Sharp =>
  sharp(pixels, { raw: { width, height, channels } });

async function decode(picture: Sharp, fit: Fit = 'cover'): Promise<Uint8Array> {
  return await decodePictures([{ name: 'picture', bytes: await picture.toBuffer() }], size, fit);
}

const pixel = (image: Uint8Array, row: number, column: number): number[] => [
  ...image.subarray((row * 32 + column) * 3, (row * 32 + column) * 3 + 3),
];

describe('decodePictures', () => {
  test('keeps every pixel of a picture of the right size', async () => {
    expect(await decode(raw(random, 32, 32, 3).png())).toEqual(random);
    expect(await decode(raw(random, 32, 32, 3).webp({ lossless: true }))).toEqual(random);
  });

  test('lays transparency over white', async () => {
    const picture = new Uint8Array(32 * 32 * 4);
    picture.set([10, 20, 30, 255]);
    const image = await decode(raw(picture, 32, 32, 4).png());
    expect(pixel(image, 0, 0)).toEqual([10, 20, 30]);
    expect(pixel(image, 5, 5)).toEqual([255, 255, 255]);
  });

  test('reads grey, 16-bit and palette pictures as three channels of 8 bits', async () => {
    const grey = new Uint8Array(32 * 32).fill(77);
    expect(pixel(await decode(raw(grey, 32, 32, 1).toColourspace('b-w').png()), 3, 3)).toEqual([77, 77, 77]);
    const deep = await decode(raw(random, 32, 32, 3).toColourspace('rgb16').png());
    expect(deep).toHaveLength(32 * 32 * 3);
    expect(deep).toEqual(random);
    expect(await decode(raw(random, 32, 32, 3).png({ palette: true }))).toHaveLength(32 * 32 * 3);
  });

  test('shrinks, enlarges, and fits other shapes as asked', async () => {
    const wide = new Uint8Array(120 * 60 * 3).fill(200);
    for (let row = 0; row < 60; row++) wide.fill(0, row * 360, row * 360 + 60);
    const picture = raw(wide, 120, 60, 3).png();
    expect(pixel(await decode(picture, 'cover'), 16, 0)).toEqual([200, 200, 200]);
    expect(pixel(await decode(picture, 'fill'), 16, 0)).toEqual([0, 0, 0]);
    expect(pixel(await decode(picture, 'contain'), 0, 16)).toEqual([0, 0, 0]);
    expect(await decode(raw(random, 32, 32, 3).resize(5, 5).jpeg())).toHaveLength(32 * 32 * 3);
  });

  test('turns a picture as its EXIF says', async () => {
    const picture = new Uint8Array(32 * 32 * 3);
    picture.fill(255, 0, 32 * 16 * 3);
    const image = await decode(raw(picture, 32, 32, 3).withMetadata({ orientation: 3 }).png());
    expect(pixel(image, 0, 0)).toEqual([0, 0, 0]);
    expect(pixel(image, 31, 0)).toEqual([255, 255, 255]);
  });

  test('names all pictures that it cannot decode, and why', async () => {
    const whole = await raw(random, 32, 32, 3).png().toBuffer();
    const files = [
      { name: 'good.png', bytes: whole },
      { name: 'text.png', bytes: Buffer.from('this is no picture') },
      { name: 'cut.png', bytes: whole.subarray(0, whole.length / 2) },
      { name: 'empty.png', bytes: new Uint8Array() },
      { name: 'drawing.svg', bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>') },
    ];
    await expect(decodePictures(files, size, 'cover')).rejects.toThrow(
      /'text.png': it is not a PNG.*\n.*'cut.png': it is damaged.*\n.*'empty.png': it is empty.\n.*'drawing.svg': it is of the format svg/,
    );
  });
});
