import { elementCount, formatShape, ValueError } from '@skiplane/core';

/** How a parameter starts. */
export type Initializer = { readonly kind: 'heNormal' } | { readonly kind: 'constant'; readonly value: number };

/** A named tensor that belongs to the model: a weight, or a moving statistic of a batch norm. */
export interface ParameterSpec {
  /** Such as `stage2/block1/conv1/filter`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** False for moving statistics: they are updated, but by no gradient. */
  readonly trainable: boolean;
  /** Scale of the L2 penalty, scale·Σw²; 0 for none. */
  readonly l2: number;
  /** 'i8' where values are whole numbers of eight bits, as which backends and checkpoints hold them; left out where they are f32. */
  readonly dtype?: 'i8' | undefined;
}

/** Parameters on the host, by name. */
export type Parameters = ReadonlyMap<string, Float32Array>;

/**
 * The L2 penalty that Keras adds to every loss: Σ l2·Σw² over the parameters that carry one, in float64.
 * @units that of the loss
 */
export function l2Penalty(specs: readonly ParameterSpec[], parameters: Parameters): number {
  let penalty = 0;
  for (const { name, l2 } of specs) {
    if (l2 === 0) continue;
    let squares = 0;
    for (const w of parameters.get(name) ?? []) squares += w * w;
    penalty += l2 * squares;
  }
  return penalty;
}

/**
 * Checks that parameters are those of a model: none missing, none left over, each of its size.
 * @throws {ValueError} that lists every disagreement
 */
export function checkParameters(model: string, specs: readonly ParameterSpec[], parameters: Parameters): void {
  const problems: string[] = [];
  const names = new Set(specs.map(({ name }) => name));
  for (const name of parameters.keys()) if (!names.has(name)) problems.push(`'${name}' does not belong to it`);
  for (const { name, shape } of specs) {
    const data = parameters.get(name);
    if (data === undefined) problems.push(`'${name}' is missing`);
    else if (data.length !== elementCount(shape))
      problems.push(`'${name}' has ${data.length} values where it is ${formatShape(shape)}`);
  }
  if (problems.length > 0) {
    throw new ValueError(`these are not the parameters of ${model}: ${problems.join('; ')}.`, { model, problems });
  }
}

export interface ParameterCounts {
  readonly total: number;
  readonly trainable: number;
  readonly nonTrainable: number;
}

/** Numbers in all parameters. */
export function countParameters(specs: readonly ParameterSpec[]): ParameterCounts {
  const count = (of: readonly ParameterSpec[]): number => of.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const trainable = count(specs.filter((spec) => spec.trainable));
  const total = count(specs);
  return { total, trainable, nonTrainable: total - trainable };
}
