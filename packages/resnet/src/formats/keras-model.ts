import type { Model } from '../model.ts';
import type { Parameters } from '../parameters.ts';
import { kerasLayers, type KerasLayersOptions, type OutLayer } from './keras-layers.ts';
import { kerasOrder } from './keras-order.ts';

/** A model as Keras sees it. */
export interface KerasModel {
  readonly name: string;
  /** In Keras's order. */
  readonly layers: readonly OutLayer[];
  readonly image: readonly [height: number, width: number, channels: number];
  readonly output: string;
}

/** @throws {FormatError} like {@link kerasLayers} */
export function kerasModel(model: Model, parameters: Parameters, options: KerasLayersOptions): KerasModel {
  const layers = kerasLayers(model, parameters, options);
  const output = layers.at(-1)?.name ?? '';
  const [height, width] = model.imageSize;
  const name = model.name.replaceAll(/[^\w.-]+/g, '_').replace(/^[^A-Za-z0-9]+/, '') || 'model';
  return { name, layers: kerasOrder(layers, output), image: [height, width, model.channels], output };
}

/** The configuration in the form that all versions read, TensorFlow.js too; `.keras` archives have a newer one. */
export function legacyConfig({ name, layers, image, output }: KerasModel) {
  return {
    class_name: 'Functional',
    config: {
      name,
      layers: layers.map(({ name: layer, className, config, inputs }) => ({
        class_name: className,
        config:
          className === 'InputLayer' ? { ...config, batch_input_shape: [null, ...image], dtype: 'float32' } : config,
        name: layer,
        inbound_nodes: inputs.length === 0 ? [] : [inputs.map((input) => [input, 0, 0, {}])],
      })),
      input_layers: [[inputOf(layers), 0, 0]],
      output_layers: [[output, 0, 0]],
    },
  };
}

/** The configuration of Keras 3. */
export function modernConfig({ name, layers, image, output }: KerasModel) {
  const shapes = new Map(layers.map(({ name: layer, shape }) => [layer, shape]));
  return {
    module: 'keras.src.models.functional',
    class_name: 'Functional',
    config: {
      name,
      trainable: true,
      layers: layers.map(({ name: layer, className, config, inputs }) => ({
        module: 'keras.layers',
        class_name: className,
        config: className === 'InputLayer' ? { ...config, batch_shape: [null, ...image], dtype: 'float32' } : config,
        registered_name: null,
        name: layer,
        inbound_nodes: inputs.length === 0 ? [] : [{ args: argumentsOf(className, inputs, shapes), kwargs: {} }],
      })),
      input_layers: [inputOf(layers), 0, 0],
      output_layers: [output, 0, 0],
    },
    registered_name: 'Functional',
  };
}

/** Layers that merge take a list. */
function argumentsOf(
  className: string,
  inputs: readonly string[],
  shapes: ReadonlyMap<string, readonly number[]>,
): readonly unknown[] {
  const tensors = inputs.map((input) => ({
    class_name: '__keras_tensor__',
    config: { shape: [null, ...(shapes.get(input) ?? [])], dtype: 'float32', keras_history: [input, 0, 0] },
  }));
  return className === 'Add' || className === 'Concatenate' ? [tensors] : tensors;
}

function inputOf(layers: readonly OutLayer[]): string {
  return layers.find(({ className }) => className === 'InputLayer')?.name ?? '';
}
