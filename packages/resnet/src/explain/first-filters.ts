import { ValueError } from '@skiplane/core';
import { parameterSpecs } from '../initial-parameters.ts';
import type { Model } from '../model.ts';
import type { Parameters } from '../parameters.ts';

/** The filters of the layer that sees the image itself. */
export interface FirstFilters {
  /** Name of the parameter, such as `stem/conv/filter`. */
  readonly name: string;
  readonly height: number;
  readonly width: number;
  /** Channels of the image. */
  readonly channels: number;
  /** Each [height, width, channels]. */
  readonly filters: readonly Float32Array[];
}

/**
 * The first layer's filters, one by one, so that each may be drawn as a small picture.
 * @throws {ValueError} when the model begins with no convolution, or the parameters are not the model's
 */
export function firstFilters(model: Model, parameters: Parameters): FirstFilters {
  const spec = parameterSpecs(model).find(({ shape }) => shape.length === 4);
  const data = spec === undefined ? undefined : parameters.get(spec.name);
  if (spec === undefined || data === undefined) {
    throw new ValueError(
      `${model.name} has no first filters: ${spec === undefined ? 'it has no convolution' : `'${spec.name}' is not among the parameters`}.`,
    );
  }
  const [height = 0, width = 0, channels = 0, count = 0] = spec.shape;
  const size = height * width * channels;
  const filters = Array.from({ length: count }, (_, k) =>
    Float32Array.from({ length: size }, (__, i) => data[i * count + k] ?? 0),
  );
  return { name: spec.name, height, width, channels, filters };
}
