import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Images of a case; every batch takes the first of them. */
export const caseImages = 512;
/** The first images, whose logits are known in float64. */
export const checkedImages = 4;

/** Files of a case's folder, beside `case.json`. */
export const files = {
  parameters: 'parameters.f32',
  folded: 'folded.f32',
  images: 'images.f32',
  labels: 'labels.f32',
};

/** Reads a case for a job: a net, its parameters by name, and the first `batch` images. */
export function readCase(directory, mode, batch) {
  const description = JSON.parse(readFileSync(join(directory, 'case.json'), 'utf8'));
  const { nodes, parameters: places } = description[mode];
  const values = readFloats(join(directory, mode === 'training' ? files.parameters : files.folded));
  const parameters = new Map(
    places.map(({ name, shape, offset, count }) => [name, { shape, data: values.slice(offset, offset + count) }]),
  );
  const first = (file) => {
    const all = readFloats(join(directory, file));
    return all.slice(0, all.length * (batch / caseImages));
  };
  return { ...description, nodes, parameters, images: first(files.images), labels: first(files.labels) };
}

function readFloats(path) {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
