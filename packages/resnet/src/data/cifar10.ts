import { FormatError } from '@skiplane/core';
import type { Dataset } from './dataset.ts';

export const cifar10ClassNames = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

const height = 32;
const width = 32;
const channels = 3;
const pixels = height * width;

/** Bytes of an image, and of a record: a label and the image's planes R, G, B. */
export const cifar10ImageBytes = pixels * channels;
export const cifar10RecordBytes = 1 + cifar10ImageBytes;

/** Files of the binary version, in the order of their images; the last is the test set. */
export const cifar10TrainFiles = [1, 2, 3, 4, 5].map((index) => `data_batch_${index}.bin`);
export const cifar10TestFile = 'test_batch.bin';
export const cifar10Files: readonly string[] = [...cifar10TrainFiles, cifar10TestFile];

/** What is wrong with a file of this many bytes, or undefined. */
export function cifar10SizeProblem(fileName: string, bytes: number): string | undefined {
  if (bytes === 0) return `${fileName} is empty`;
  const rest = bytes % cifar10RecordBytes;
  if (rest === 0) return undefined;
  return `${fileName} has ${bytes} bytes, which is no multiple of ${cifar10RecordBytes} (${rest} left over): it is truncated, or no CIFAR-10 binary file`;
}

/** What is wrong with labels, or undefined. */
export function cifar10LabelProblem(fileName: string, labels: Uint8Array): string | undefined {
  const wrong = labels.reduce((count, label) => count + (label >= cifar10ClassNames.length ? 1 : 0), 0);
  if (wrong === 0) return undefined;
  const first = labels.findIndex((label) => label >= cifar10ClassNames.length);
  return `${fileName} has ${wrong} labels above 9, the first being ${labels[first]} in record ${first}: it is damaged, or CIFAR-100`;
}

/** The error of a set of files, listing all that is wrong with them. */
export function cifar10Error(where: string, problems: readonly string[]): FormatError {
  return new FormatError(
    `cannot read CIFAR-10 from ${where}: ${problems.join('; ')}. ` +
      'It should hold data_batch_1.bin to data_batch_5.bin and test_batch.bin of the binary version (cifar-10-binary.tar.gz).',
    { where, problems },
  );
}

/**
 * Copies one record's image from planes R, G, B to interleaved pixels.
 * @param source  the record, label first, at `from`
 */
export function decodeRecord(source: Uint8Array, from: number, images: Uint8Array, to: number): void {
  let out = to;
  for (let red = from + 1, end = red + pixels; red < end; red++) {
    images[out++] = source[red] as number;
    images[out++] = source[red + pixels] as number;
    images[out++] = source[red + 2 * pixels] as number;
  }
}

/** A data set of CIFAR-10's shape. */
export function cifar10Dataset(name: string, images: Uint8Array, labels: Uint8Array): Dataset {
  return { name, images, labels, count: labels.length, height, width, channels, classNames: cifar10ClassNames };
}

/**
 * Reads one file of the binary version: records of 1 label byte and 3,072 bytes, planes R, G, B.
 * Any number of records is accepted; the official files have 10,000.
 * @throws {FormatError} when the size is no multiple of 3,073, or zero, or a label is above 9
 */
export function parseCifar10Batch(bytes: Uint8Array, fileName: string): Dataset {
  const sizeProblem = cifar10SizeProblem(fileName, bytes.length);
  if (sizeProblem !== undefined) throw cifar10Error(`'${fileName}'`, [sizeProblem]);
  const count = bytes.length / cifar10RecordBytes;
  const images = new Uint8Array(count * cifar10ImageBytes);
  const labels = new Uint8Array(count);
  for (let record = 0; record < count; record++) {
    const from = record * cifar10RecordBytes;
    labels[record] = bytes[from] as number;
    decodeRecord(bytes, from, images, record * cifar10ImageBytes);
  }
  const labelProblem = cifar10LabelProblem(fileName, labels);
  if (labelProblem !== undefined) throw cifar10Error(`'${fileName}'`, [labelProblem]);
  return cifar10Dataset(fileName, images, labels);
}
