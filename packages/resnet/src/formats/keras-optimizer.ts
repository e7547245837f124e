import type { Parameters } from '../parameters.ts';
import type { OptimizerSettings } from '../recipe/optimizer.ts';
import type { KerasNetwork, ListedLayer } from './keras-config.ts';
import { isObject } from './keras-json.ts';
import type { OutLayer } from './keras-layers.ts';
import type { OptimizerSnapshot } from './model-file.ts';

/** A variable of an optimizer, in Keras's order. */
export interface OptimizerVariable {
  /** Such as `adam/conv_kernel_momentum`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** Slots here, and what Keras calls them; in its order, for every trainable weight. */
const slots = {
  adam: { m: 'momentum', v: 'velocity' },
  adamW: { m: 'momentum', v: 'velocity' },
  sgd: { momentum: 'momentum' },
} as const satisfies Record<OptimizerSettings['kind'], Readonly<Record<string, string>>>;

const classNames = { adam: 'Adam', adamW: 'AdamW', sgd: 'SGD' } as const;

/** Slots of an optimizer, in Keras's order. Plain gradient descent keeps nothing there. */
function slotsOf(settings: OptimizerSettings): readonly (readonly [own: string, keras: string])[] {
  return settings.kind === 'sgd' && settings.momentum === 0 ? [] : Object.entries(slots[settings.kind]);
}

/** Why Keras would go on differently; undefined where it would not. */
export function optimizerProblem({ settings }: OptimizerSnapshot): string | undefined {
  const leftOut = "the optimizer's state is left out: Keras cannot";
  if (settings.kind === 'adamW' && settings.excludeFromWeightDecay.length > 0)
    return `${leftOut} save that ${settings.excludeFromWeightDecay.join(', ')} do not decay`;
  return settings.kind === 'sgd' && settings.momentum === 1 ? `${leftOut} read a momentum of 1` : undefined;
}

/** The optimizer as a configuration of Keras. */
export function optimizerConfig({ settings, learningRate }: OptimizerSnapshot) {
  const name = classNames[settings.kind];
  const own =
    settings.kind === 'sgd'
      ? // Keras wants a momentum with a point, and takes 0 by default.
        { ...(settings.momentum > 0 && { momentum: settings.momentum }), nesterov: settings.nesterov }
      : { beta_1: settings.beta1, beta_2: settings.beta2, epsilon: settings.epsilon, amsgrad: false };
  const decay = settings.kind === 'adamW' ? { weight_decay: settings.weightDecay } : {};
  return { class_name: name, config: { name: name.toLowerCase(), learning_rate: learningRate, ...decay, ...own } };
}

/** All that an optimizer keeps, as Keras orders it: steps, learning rate, and the slots of every trainable weight. */
export function optimizerVariables(
  { settings, learningRate, step, state }: OptimizerSnapshot,
  layers: readonly OutLayer[],
): readonly OptimizerVariable[] {
  const prefix = classNames[settings.kind].toLowerCase();
  const variables: OptimizerVariable[] = [
    { name: `${prefix}/iteration`, shape: [], data: Int32Array.of(step) },
    { name: `${prefix}/learning_rate`, shape: [], data: Float32Array.of(learningRate) },
  ];
  for (const { layer, role, shape, parameter } of trainable(layers)) {
    for (const [own, keras] of slotsOf(settings)) {
      const data = state[own]?.get(parameter) ?? new Float32Array(shape.reduce((count, size) => count * size, 1));
      variables.push({ name: `${prefix}/${layer}_${role}_${keras}`, shape, data });
    }
  }
  return variables;
}

function trainable(layers: readonly OutLayer[]) {
  return layers.flatMap(({ name, weights }) =>
    weights.flatMap(({ role, shape, parameter, trainable: yes }) =>
      yes && parameter !== null ? [{ layer: name, role, shape, parameter }] : [],
    ),
  );
}

/** Trainable parameters that layers of Keras become here, in its order. */
function trainableParameters(layers: readonly ListedLayer[], models = ''): readonly string[] {
  return layers.flatMap(({ name: own, className, config, listed }) => {
    const name = `${models}${own}`;
    if (listed !== undefined) return trainableParameters(listed, `${name}/`);
    if (config['trainable'] === false) return [];
    const bias = config['use_bias'] === false ? [] : [`${name}/bias`];
    if (className === 'Conv2D') return [`${name}/filter`, ...bias];
    if (className === 'Dense') return [`${name}/kernel`, ...bias];
    if (className !== 'BatchNormalization') return [];
    const { scale, center } = config;
    return [...(scale === false ? [] : [`${name}/gamma`]), ...(center === false ? [] : [`${name}/beta`])];
  });
}

/** The settings out of a configuration of Keras; undefined where this library has no such optimizer. */
function optimizerSettings(
  json: unknown,
): { readonly settings: OptimizerSettings; readonly learningRate: number } | undefined {
  if (!isObject(json) || !isObject(json['config'])) return undefined;
  const { class_name: name, config } = json;
  const number = (key: string, fallback: number): number => (typeof config[key] === 'number' ? config[key] : fallback);
  const plain = ['clipnorm', 'global_clipnorm', 'clipvalue', 'amsgrad', 'use_ema', 'gradient_accumulation_steps'];
  if (plain.some((key) => config[key] != null && config[key] !== false)) return undefined;
  const adam = { beta1: number('beta_1', 0.9), beta2: number('beta_2', 0.999), epsilon: number('epsilon', 1e-7) };
  const learningRate = number('learning_rate', name === 'SGD' ? 0.01 : 0.001);
  const decay = number('weight_decay', 0);
  if (name === 'SGD' && decay === 0) {
    const { nesterov } = config;
    return { learningRate, settings: { kind: 'sgd', momentum: number('momentum', 0), nesterov: nesterov === true } };
  }
  if (name === 'Adam' && decay === 0) return { learningRate, settings: { kind: 'adam', ...adam } };
  if (name === 'AdamW') {
    const weightDecay = number('weight_decay', 0.004);
    return { learningRate, settings: { kind: 'adamW', ...adam, weightDecay, excludeFromWeightDecay: [] } };
  }
  return undefined;
}

/**
 * Where an optimizer stands, out of its variables in Keras's order.
 * @param json  the optimizer's configuration
 * @param variables  all of them, in Keras's order
 * @returns undefined where this library has no such optimizer, or the variables are not those of its settings
 */
export function readOptimizer(
  json: unknown,
  variables: readonly Float32Array[],
  { listed }: KerasNetwork,
  sizes: Parameters,
): OptimizerSnapshot | undefined {
  const known = optimizerSettings(json);
  if (known === undefined) return undefined;
  const { settings, learningRate } = known;
  const parameters = trainableParameters(listed);
  const [iteration, rate, ...rest] = variables;
  const names = slotsOf(settings);
  if (iteration?.length !== 1 || rate?.length !== 1 || rest.length !== names.length * parameters.length)
    return undefined;
  const state: Record<string, Map<string, Float32Array>> = Object.fromEntries(
    Object.keys(slots[settings.kind]).map((slot) => [slot, new Map<string, Float32Array>()]),
  );
  let at = 0;
  for (const parameter of parameters) {
    for (const [slot] of names) {
      const data = rest[at++];
      if (data?.length !== sizes.get(parameter)?.length || !data?.every(Number.isFinite)) return undefined;
      state[slot]?.set(parameter, data);
    }
  }
  return { settings, learningRate: rate[0] ?? learningRate, step: iteration[0] ?? 0, state };
}
