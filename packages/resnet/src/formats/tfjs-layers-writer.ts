import { littleEndian } from './hdf5-encoder.ts';
import { legacyConfig, type KerasModel } from './keras-model.ts';
import { ownKey } from './own-key.ts';

/** Bytes of a shard, as TensorFlow.js's converter cuts them, so that browsers load several at once, and cache them. */
const shardBytes = 4 * 2 ** 20;

/**
 * A layers model: its JSON, and the shards that lie beside it.
 * @param name  of the JSON file, such as `model.json`
 */
export function encodeTfjsLayers(
  model: KerasModel,
  metadata: string,
  name: string,
): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const weights = model.layers.flatMap((layer) =>
    layer.weights.map(({ role, shape, data }) => ({ name: `${layer.name}/${role}`, shape, data })),
  );
  const stem = name === 'model.json' ? 'group1' : name.replace(/\.json$/, '');
  const shards = cut(weights.map(({ data }) => littleEndian(data)));
  const paths = shards.map((_, i) => `${stem}-shard${i + 1}of${shards.length}.bin`);
  const json = {
    format: 'layers-model',
    generatedBy: 'skiplane',
    convertedBy: null,
    modelTopology: { keras_version: '2.15.0', backend: 'tensorflow', model_config: legacyConfig(model) },
    weightsManifest: [
      { paths, weights: weights.map((weight) => ({ name: weight.name, shape: weight.shape, dtype: 'float32' })) },
    ],
    userDefinedMetadata: { [ownKey]: metadata },
  };
  return new Map([
    [name, new TextEncoder().encode(JSON.stringify(json))],
    ...shards.map((shard, i) => [paths[i] ?? '', shard] as const),
  ]);
}

/** Parts one behind the other, cut anew. */
function cut(parts: readonly Uint8Array[]): readonly Uint8Array<ArrayBuffer>[] {
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  const shards = Array.from(
    { length: Math.max(Math.ceil(total / shardBytes), 1) },
    (_, i) => new Uint8Array(Math.min(shardBytes, total - i * shardBytes)),
  );
  let at = 0;
  for (const part of parts) {
    for (let from = 0; from < part.length;) {
      const shard = shards[Math.floor(at / shardBytes)] as Uint8Array;
      const room = Math.min(shard.length - (at % shardBytes), part.length - from);
      shard.set(part.subarray(from, from + room), at % shardBytes);
      from += room;
      at += room;
    }
  }
  return shards;
}
