import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { randomStream, uniforms } from '@skiplane/core';

const fileNames = [1, 2, 3, 4, 5].map((index) => `data_batch_${index}.bin`).concat('test_batch.bin');

/** A file of records with random pixels; labels run 0, 1, 2, … modulo ten. */
export function cifarFile(name: string, records: number): Uint8Array {
  const bytes = Uint8Array.from(uniforms(randomStream(3, name), records * 3073), (u) => u * 256);
  for (let record = 0; record < records; record++) bytes[record * 3073] = record % 10;
  return bytes;
}

/** All six files. @param records  of a training file, and half of them in the test file */
export function cifarFiles(records: number): Map<string, Uint8Array> {
  return new Map(
    fileNames.map((name) => [name, cifarFile(name, name === 'test_batch.bin' ? Math.ceil(records / 2) : records)]),
  );
}

const smallPath = fileURLToPath(new URL('../../../../../shared/cifar10/small', import.meta.url));

/** Folder with 2,000 real training images and 1,000 test images, or undefined where it is absent. */
export const realCifar: string | undefined = existsSync(smallPath) ? smallPath : undefined;
