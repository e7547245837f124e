import { adamStepSize, type GraphBuilder, type OpAttrs, type ValueId } from '@skiplane/core';
import type { AdamSettings, AdamWSettings, OptimizerSettings, SgdSettings } from '../recipe/optimizer.ts';

/** What an optimizer keeps between steps, what it reads at each, and its op. */
export interface OptimizerRule {
  /** State that every trainable parameter has, zeros at first: see {@link optimizerStateName}. */
  readonly slots: readonly string[];
  /** The scalar inputs of a step, which the host computes in float64. `step` is 0 for the first step of all. */
  readonly scalars: Readonly<Record<string, (learningRate: number, step: number) => number>>;
  /** Adds the op that updates one parameter and its state in place. */
  update(build: GraphBuilder, name: string, operands: UpdateOperands): void;
}

interface UpdateOperands {
  readonly parameter: ValueId;
  readonly gradient: ValueId;
  /** In the order of the slots. */
  readonly state: readonly ValueId[];
  /** In the order of the scalars. */
  readonly scalars: readonly ValueId[];
  /** Where it is NaN or infinite, nothing changes. */
  readonly norm?: ValueId | undefined;
}

function addUpdate<K extends 'adam' | 'adamW' | 'sgdMomentum'>(
  build: GraphBuilder,
  kind: K,
  name: string,
  { parameter, gradient, state, scalars, norm }: UpdateOperands,
  attrs: OpAttrs[K],
): void {
  const operands = [parameter, ...state, gradient, ...scalars];
  if (norm === undefined) build.opOutputs(kind, operands, attrs, name);
  else build.opOutputs(kind, [...operands, norm], { ...attrs, guarded: true }, name);
}

/** Name of the tensor that holds an optimizer's state for a parameter, like which it is shaped. */
export const optimizerStateName = (slot: string, parameter: string): string => `optimizer/${slot}/${parameter}`;

export function optimizerRule(settings: OptimizerSettings): OptimizerRule {
  if (settings.kind === 'adam') return adamRule(settings);
  return settings.kind === 'adamW' ? adamWRule(settings) : sgdRule(settings);
}

const adamSlots = ['m', 'v'];

function adamRule({ beta1, beta2, epsilon }: Omit<AdamSettings, 'kind'>): OptimizerRule {
  return {
    slots: adamSlots,
    scalars: { stepSize: (learningRate, step) => adamStepSize(learningRate, step + 1, beta1, beta2) },
    update(build, name, operands) {
      addUpdate(build, 'adam', name, operands, { beta1, beta2, epsilon });
    },
  };
}

function adamWRule(settings: AdamWSettings): OptimizerRule {
  const { beta1, beta2, epsilon, weightDecay, excludeFromWeightDecay } = settings;
  const adam = adamRule(settings);
  return {
    slots: adamSlots,
    scalars: { ...adam.scalars, decay: (learningRate) => learningRate * weightDecay },
    update(build, name, operands) {
      if (excludeFromWeightDecay.some((part) => name.includes(part))) {
        adam.update(build, name, { ...operands, scalars: operands.scalars.slice(0, 1) });
        return;
      }
      addUpdate(build, 'adamW', name, operands, { beta1, beta2, epsilon });
    },
  };
}

function sgdRule({ momentum, nesterov }: SgdSettings): OptimizerRule {
  return {
    slots: ['momentum'],
    scalars: { learningRate: (learningRate) => learningRate },
    update(build, name, operands) {
      addUpdate(build, 'sgdMomentum', name, operands, { momentum, nesterov });
    },
  };
}
