import { adamStepSize, type GraphBuilder, type ValueId } from '@skiplane/core';
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
    update(build, name, { parameter, gradient, state, scalars }) {
      build.opOutputs('adam', [parameter, ...state, gradient, ...scalars], { beta1, beta2, epsilon }, name);
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
      const { parameter, gradient, state, scalars } = operands;
      if (excludeFromWeightDecay.some((part) => name.includes(part))) {
        adam.update(build, name, { ...operands, scalars: scalars.slice(0, 1) });
        return;
      }
      build.opOutputs('adamW', [parameter, ...state, gradient, ...scalars], { beta1, beta2, epsilon }, name);
    },
  };
}

function sgdRule({ momentum, nesterov }: SgdSettings): OptimizerRule {
  return {
    slots: ['momentum'],
    scalars: { learningRate: (learningRate) => learningRate },
    update(build, name, { parameter, gradient, state, scalars }) {
      build.opOutputs('sgdMomentum', [parameter, ...state, gradient, ...scalars], { momentum, nesterov }, name);
    },
  };
}
