import type { ReferenceKernel } from '../kernel.ts';

export const unscaleGradient: ReferenceKernel<'unscaleGradient'> = (inputs, outputs) => {
  const scale = inputs.values('lossScale')[0] as number;
  outputs.values('unscaled').set(inputs.values('gradient').map((value) => value / scale));
};

export const updateLossScale: ReferenceKernel<'updateLossScale'> = (
  inputs,
  outputs,
  { growthSteps, minimum, maximum },
) => {
  const scale = inputs.values('lossScale')[0] as number;
  const good = Number.isFinite(inputs.values('norm')[0]) ? (inputs.values('goodSteps')[0] as number) + 1 : 0;
  const grown = good >= growthSteps;
  outputs.values('goodSteps')[0] = grown ? 0 : good;
  if (good === 0) outputs.values('lossScale')[0] = Math.max(scale / 2, minimum);
  else outputs.values('lossScale')[0] = grown ? Math.min(scale * 2, maximum) : scale;
};
