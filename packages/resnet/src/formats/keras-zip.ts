import { openHdf5, type Hdf5File } from './hdf5.ts';
import { parseKerasModel } from './keras-config.ts';
import { isObject } from './keras-json.ts';
import { kerasNetwork } from './keras-graph.ts';
import { storedWeights } from './keras-hdf5.ts';
import { readOptimizer } from './keras-optimizer.ts';
import { fileError, type ModelDirectory } from './model-file.ts';
import { parseJson } from './parse-json.ts';
import type { ZipEntry } from './zip.ts';

const format = 'Keras';
export const metadataName = 'metadata.json';
export const configName = 'config.json';
export const weightsName = 'model.weights.h5';

export function isKerasZip(entries: ReadonlyMap<string, ZipEntry>): boolean {
  return entries.has(configName) && entries.has(weightsName);
}

/** Reads a `.keras` archive of Keras 3. @throws {FormatError} when it is damaged */
export function readKerasZip(entries: ReadonlyMap<string, ZipEntry>): ModelDirectory {
  const text = (name: string): string => new TextDecoder().decode(entries.get(name)?.read() ?? new Uint8Array(0));
  const weights = entries.get(weightsName);
  if (weights === undefined) throw fileError(format, `'${weightsName}' is missing in it`);
  const file = openHdf5(weights.open());
  const written = entries.has(metadataName) ? parseJson(format, metadataName, text(metadataName)) : {};
  const metadata = Object.entries(isObject(written) ? written : {}).map(([key, value]) => [key, String(value)]);
  return {
    format: 'keras-zip',
    tensors: file.tensors,
    metadata: Object.fromEntries(metadata) as Record<string, string>,
    outline() {
      const config = parseJson(format, configName, text(configName));
      const network = parseKerasModel(format, config);
      const outline = kerasNetwork(network, storedWeights(file, network));
      const compiled = isObject(config) ? config['compile_config'] : undefined;
      if (!isObject(compiled)) return outline;
      return {
        ...outline,
        read() {
          const imported = outline.read();
          const variables = optimizerVariablesOf(file);
          const optimizer = readOptimizer(compiled['optimizer'], variables, network, imported.parameters);
          return { ...imported, optimizer };
        },
      };
    },
  };
}

/** In Keras's order. */
function optimizerVariablesOf({ tensors }: Hdf5File): readonly Float32Array[] {
  const variables: Float32Array[] = [];
  for (;;) {
    const next = tensors.get(`optimizer/vars/${variables.length}`);
    if (next === undefined) return variables;
    variables.push(next.read());
  }
}
