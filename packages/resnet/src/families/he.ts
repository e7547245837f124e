import { basicBranch, bottleneckBranch, type Architecture, type Shortcut } from '../architecture/architecture.ts';
import { blocksPerStage } from '../depth.ts';
import { architectures, basicDepths, bottleneckDepths, cifar10, type FamilyDefinition } from './family.ts';

/** The papers' own CIFAR networks: convolutions without biases, padded on all sides alike, also at stride 2. */
const base = {
  padding: 'symmetric',
  bias: false,
  stem: { filters: 16, kernelSize: 3, strides: 1, pool: false },
} as const;

export const heStages = (units: number): Architecture['stages'] =>
  [16, 32, 64].map((width, stage) => ({ units, width, strides: stage === 0 ? 1 : 2 }));

/** Torch's epsilon; the papers say nothing of it. */
export const heDefaults = { ...cifar10, batchNormEpsilon: 1e-5 };

/** Three stages of n basic units with 16, 32 and 64 filters. @source He et al. 2015, §4.2 */
export function he2015Architecture(depth: number, shortcut: Shortcut): Architecture {
  const n = blocksPerStage('he2015', depth, 6);
  return { ...base, stages: heStages(n), branch: basicBranch, order: 'postActivation', shortcut };
}

/**
 * Three stages of n pre-activation bottlenecks, 16, 32 and 64 filters inside and 64, 128 and 256 outside.
 * @source He et al. 2016, and its authors' resnet-1k-layers
 */
function he2016Architecture(depth: number): Architecture {
  const n = blocksPerStage('he2016', depth, 9);
  return { ...base, stages: heStages(n), branch: bottleneckBranch, order: 'preActivation', shortcut: 'B' };
}

function he2015Family(shortcut: Shortcut, suffix: '' | 'b' | 'c'): FamilyDefinition {
  return architectures(
    {
      form: `he<depth>${suffix}`,
      depthRule: basicDepths,
      patterns: [new RegExp(`^he(?<depth>\\d+)${suffix}$`)],
      nameOf: (depth) => `he${depth}${suffix}`,
      typeOf: (depth) => `He${depth}${suffix}`,
      depths: [20, 32, 44, 56, 110, 1202],
      defaults: heDefaults,
    },
    (depth) => he2015Architecture(depth, shortcut),
  );
}

/** The paper's choice: shortcuts without parameters. */
export const he2015 = he2015Family('A', '');
export const he2015b = he2015Family('B', 'b');
export const he2015c = he2015Family('C', 'c');

export const he2016 = architectures(
  {
    form: 'he<depth>v2',
    depthRule: bottleneckDepths,
    patterns: [/^he(?<depth>\d+)v2$/],
    nameOf: (depth) => `he${depth}v2`,
    typeOf: (depth) => `He${depth}v2`,
    depths: [11, 20, 29, 56, 110, 164, 1001],
    defaults: heDefaults,
  },
  he2016Architecture,
);
