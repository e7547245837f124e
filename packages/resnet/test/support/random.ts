import { elementCount, randomStream, uniforms } from '@skiplane/core';
import { initialParameters, parameterSpecs, type ModelConfig } from '../../src/index.ts';

/** Numbers uniform in [−1, 1), by name. */
export function signed(name: string, count: number): Float64Array {
  return uniforms(randomStream(7, name), count).map((u) => 2 * u - 1);
}

/** Labels of a batch, one-hot: 0, 3, 6, … modulo the classes. */
export function oneHot(batch: number, classes: number): Float32Array {
  const labels = new Float32Array(batch * classes);
  for (let i = 0; i < batch; i++) labels[i * classes + ((3 * i) % classes)] = 1;
  return labels;
}

/** Initial parameters with something random added to all, so that no bias is zero and no gamma one. */
export function perturbedParameters(config: ModelConfig): Map<string, Float32Array> {
  const initial = initialParameters(config, 5);
  for (const { name, shape } of parameterSpecs(config)) {
    const noise = signed(`perturb/${name}`, elementCount(shape));
    initial.get(name)?.forEach((value, i, data) => (data[i] = value + 0.2 * (noise[i] ?? 0)));
  }
  return initial;
}
