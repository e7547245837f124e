import sharp from 'sharp';
import { CommandError } from '../errors.ts';
import type { PictureFile } from './collect.ts';
import type { Fit } from './fit.ts';

const formats: ReadonlySet<string | undefined> = new Set(['png', 'jpeg', 'webp']);

/**
 * Decodes PNG, JPEG and WebP files to the model's size: turned as their EXIF says, transparency laid over white,
 * colours as sRGB, shrunk or enlarged with a Lanczos-3 filter. A picture of just the right size keeps its pixels.
 *
 * @shape returns  [pictures.length, height, width, 3], u8
 * @throws {CommandError} that lists every picture that cannot be decoded
 */
export async function decodePictures(
  pictures: readonly PictureFile[],
  [height, width]: readonly [number, number],
  fit: Fit,
): Promise<Uint8Array> {
  const size = height * width * 3;
  const pixels = new Uint8Array(pictures.length * size);
  const problems: string[] = [];
  for (const [index, { name, bytes }] of pictures.entries()) {
    try {
      pixels.set(await decode(bytes, height, width, fit), index * size);
    } catch (error) {
      problems.push(`cannot decode ${describe(name)}: ${reason(error)}`);
    }
  }
  if (problems.length > 0) throw new CommandError(problems.join('\n'));
  return pixels;
}

async function decode(bytes: Uint8Array, height: number, width: number, fit: Fit): Promise<Uint8Array> {
  if (bytes.length === 0) throw new CommandError('it is empty.');
  const picture = sharp(bytes, { failOn: 'error' });
  const { format } = await picture.metadata();
  if (!formats.has(format)) throw new CommandError(`it is of the format ${format}; PNG, JPEG and WebP are read.`);
  const { data, info } = await picture
    .autoOrient()
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .resize(width, height, { fit, background: 'black' })
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new CommandError(`it has ${info.channels} channels after decoding, not 3.`);
  return data;
}

function reason(error: unknown): string {
  if (error instanceof CommandError) return error.message;
  const [first = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return first.includes('unsupported image format')
    ? 'it is not a PNG, JPEG or WebP file.'
    : `it is damaged (${first.replace(/^Input buffer has corrupt header: |^vips\w+: /, '')}).`;
}

function describe(name: string): string {
  return name === '-' ? 'the picture from standard input' : `'${name}'`;
}
