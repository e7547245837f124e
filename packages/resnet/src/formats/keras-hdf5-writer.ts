import { encodeHdf5, hdf5Group, type Hdf5Group, type Hdf5Values } from './hdf5-encoder.ts';
import { legacyConfig, type KerasModel } from './keras-model.ts';
import { optimizerVariables } from './keras-optimizer.ts';
import type { KerasTraining } from './keras-training.ts';
import { ownKey } from './own-key.ts';

/** The release whose form the files have. */
export const kerasVersion = '3.0.0';

/** A whole model as Keras 2 and 3 read it from `.h5`. */
export function encodeKerasHdf5(
  model: KerasModel,
  { optimizer, compile }: KerasTraining,
  metadata: string,
): Uint8Array<ArrayBuffer> {
  const compiled = compile(false);
  const attributes = new Map<string, string>([
    ['keras_version', kerasVersion],
    ['backend', 'tensorflow'],
    ['model_config', JSON.stringify(legacyConfig(model))],
    ...(compiled === null ? [] : [['training_config', JSON.stringify(compiled)] as const]),
    [ownKey, metadata],
  ]);
  const groups = new Map<string, Hdf5Group>([['model_weights', weightsOf(model)]]);
  if (optimizer !== null) {
    const variables = optimizerVariables(optimizer, model.layers);
    groups.set('optimizer_weights', namedGroup(variables));
  }
  return encodeHdf5(hdf5Group(groups, attributes));
}

function weightsOf({ layers }: KerasModel): Hdf5Group {
  const weighted = layers.filter(({ weights }) => weights.length > 0);
  const groups = weighted.map(({ name, weights }) => {
    const named = weights.map(({ role, shape, data }) => ({ name: `${name}/${role}`, shape, data }));
    return [name, namedGroup(named)] as const;
  });
  return hdf5Group(
    new Map(groups),
    new Map<string, string | readonly string[]>([
      ['layer_names', weighted.map(({ name }) => name)],
      ['backend', 'tensorflow'],
      ['keras_version', kerasVersion],
    ]),
  );
}

/** Values, and the order of their names. */
function namedGroup(values: readonly (Hdf5Values & { readonly name: string })[]): Hdf5Group {
  return hdf5Group(
    new Map(values.map(({ name, shape, data }) => [name, { shape, data }])),
    new Map([['weight_names', values.map(({ name }) => name)]]),
  );
}
