import { elementCount, heNormal } from '@skiplane/core';
import type { Model } from './model.ts';
import { inferenceGraph } from './graphs/inference.ts';
import type { ParameterSpec } from './parameters.ts';
import { kerasL2, type L2Settings } from './recipe/keras-constants.ts';

/** A model's parameters in the order of its layers. @param l2  their penalties (default: Keras's) */
export function parameterSpecs(model: Model, l2: L2Settings = kerasL2): readonly ParameterSpec[] {
  return inferenceGraph(model, { batch: 1, l2 }).parameters;
}

/**
 * A model's parameters as training starts: he_normal filters and kernels, zero biases, batch norms that change nothing.
 * Every tensor depends on the seed and its own name only.
 * @param seed  an integer from 0 to 2^53 − 1
 */
export function initialParameters(model: Model, seed: number): Map<string, Float32Array> {
  return new Map(parameterSpecs(model).map((spec) => [spec.name, initialValues(spec, seed)]));
}

function initialValues({ name, shape, initializer }: ParameterSpec, seed: number): Float32Array {
  return initializer.kind === 'heNormal'
    ? heNormal(shape, seed, name)
    : new Float32Array(elementCount(shape)).fill(initializer.value);
}
