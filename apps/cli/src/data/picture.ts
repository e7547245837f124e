import { writeFileAtomic } from '@skiplane/resnet/node';
import sharp from 'sharp';
import { UsageError } from '../errors.ts';
import { checkFolderOf } from '../folder.ts';
import { printJson, printLine } from '../output.ts';
import { loadTestData } from './load.ts';

export interface PictureFlags {
  readonly data?: string | undefined;
  readonly to: string;
  readonly json?: true | undefined;
}

/** `skiplane data picture`: writes one test image as a PNG file, pixel by pixel. */
export async function savePicture(index: number, { data: source, to, json }: PictureFlags): Promise<void> {
  checkFolderOf(to, '--to');
  const data = await loadTestData(source, undefined);
  if (index >= data.count) {
    throw new UsageError(`the index is ${index}, but '${data.name}' has test images 0 to ${data.count - 1}.`);
  }
  const { height, width, channels } = data;
  const size = height * width * channels;
  const pixels = data.images.subarray(index * size, (index + 1) * size);
  const png = await sharp(pixels, { raw: { width, height, channels: channels as 1 | 3 } })
    .png()
    .toBuffer();
  await writeFileAtomic(to, png);
  const classIndex = data.labels[index] ?? 0;
  const className = data.classNames[classIndex] ?? String(classIndex);
  if (json) printJson({ file: to, index, classIndex, className });
  else printLine(`Saved test image ${index} as '${to}': it is labelled ${className}.`);
}
