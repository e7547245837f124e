import { writeFileAtomic } from '@skiplane/resnet/node';
import { UsageError } from '../errors.ts';
import { checkFolderOf } from '../folder.ts';
import { pngOf } from '../images/encode.ts';
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
  await writeFileAtomic(to, await pngOf(data, index));
  const classIndex = data.labels[index] ?? 0;
  const className = data.classNames[classIndex] ?? String(classIndex);
  if (json) printJson({ file: to, index, classIndex, className });
  else printLine(`Saved test image ${index} as '${to}': it is labelled ${className}.`);
}
