import { zipSync } from 'fflate';
import { encodeHdf5, hdf5Group, type Hdf5Values } from './hdf5-encoder.ts';
import { kerasVersion } from './keras-hdf5-writer.ts';
import { storedNames } from './keras-hdf5.ts';
import { modernConfig, type KerasModel } from './keras-model.ts';
import { optimizerVariables } from './keras-optimizer.ts';
import type { KerasTraining } from './keras-training.ts';
import { configName, metadataName, weightsName } from './keras-zip.ts';
import { ownKey } from './own-key.ts';

/** The oldest time that an archive can say, so that the same model gives the same bytes. */
const mtime = new Date(1980, 0, 1);

const text = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json));

/** A whole model as Keras 3 reads it from `.keras`. */
export function encodeKerasZip(model: KerasModel, { optimizer, compile }: KerasTraining, metadata: string): Uint8Array {
  const names = storedNames(model.layers);
  const values = new Map<string, Hdf5Values>();
  for (const { name, weights } of model.layers) {
    weights.forEach(({ shape, data }, i) => values.set(`layers/${names.get(name) ?? name}/vars/${i}`, { shape, data }));
  }
  if (optimizer !== null) {
    const variables = optimizerVariables(optimizer, model.layers);
    variables.forEach(({ shape, data }, i) => values.set(`optimizer/vars/${i}`, { shape, data }));
  }
  const compiled = compile(true);
  const config = { ...modernConfig(model), ...(compiled !== null && { compile_config: compiled }) };
  const files = {
    [metadataName]: text({ keras_version: kerasVersion, [ownKey]: metadata }),
    [configName]: text(config),
    [weightsName]: encodeHdf5(hdf5Group(values)),
  };
  // Stored as they are, which is how Keras writes them.
  return zipSync(files, { level: 0, mtime });
}
