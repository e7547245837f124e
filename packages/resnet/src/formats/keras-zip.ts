import { openHdf5 } from './hdf5.ts';
import { isObject, parseKerasModel } from './keras-config.ts';
import { kerasNetwork } from './keras-graph.ts';
import { storedWeights } from './keras-hdf5.ts';
import { fileError, type ModelFile } from './model-file.ts';
import { parseJson } from './parse-json.ts';
import type { ZipEntry } from './zip.ts';

const format = 'Keras';
const configName = 'config.json';
const weightsName = 'model.weights.h5';

export function isKerasZip(entries: ReadonlyMap<string, ZipEntry>): boolean {
  return entries.has(configName) && entries.has(weightsName);
}

/** Reads a `.keras` archive of Keras 3. @throws {FormatError} when it is damaged */
export function readKerasZip(entries: ReadonlyMap<string, ZipEntry>): ModelFile {
  const text = (name: string): string => new TextDecoder().decode(entries.get(name)?.read() ?? new Uint8Array(0));
  const weights = entries.get(weightsName);
  if (weights === undefined) throw fileError(format, `'${weightsName}' is missing in it`);
  const file = openHdf5(weights.read());
  const written = entries.has('metadata.json') ? parseJson(format, 'metadata.json', text('metadata.json')) : {};
  const metadata = Object.entries(isObject(written) ? written : {}).map(([key, value]) => [key, String(value)]);
  return {
    format: 'keras-zip',
    tensors: file.tensors,
    metadata: Object.fromEntries(metadata) as Record<string, string>,
    network() {
      const network = parseKerasModel(format, parseJson(format, configName, text(configName)));
      return kerasNetwork(network, storedWeights(file, network));
    },
  };
}
