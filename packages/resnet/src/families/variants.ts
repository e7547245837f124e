import { ValueError } from '@skiplane/core';
import type { Architecture } from '../architecture/architecture.ts';
import { architectures, basicDepths, type FamilyDefinition } from './family.ts';
import { he2015Architecture, heDefaults, heStages } from './he.ts';

/** Nets that papers compare residual networks with: `he<depth>` but for what is named. */

const form = 'he<depth>-<variant>';

function variant(name: string, change: Partial<Architecture>): FamilyDefinition {
  return architectures(
    {
      form,
      depthRule: basicDepths,
      patterns: [new RegExp(`^he(?<depth>\\d+)-${name}$`)],
      nameOf: (depth) => `he${depth}-${name}`,
      typeOf: (depth) => `He${depth}-${name}`,
      depths: [20, 56, 110],
      defaults: heDefaults,
    },
    (depth) => ({ ...he2015Architecture(depth, 'A'), ...change }),
  );
}

/** @source He et al. 2015, §4.2, and He et al. 2016, tables 1 and 2 */
export const heVariants = {
  'he-plain': variant('plain', { shortcut: 'none' }),
  'he-half-shortcut': variant('half-shortcut', { junction: { kind: 'scale', shortcut: 0.5, branch: 1 } }),
  'he-half-both': variant('half-both', { junction: { kind: 'scale', shortcut: 0.5, branch: 0.5 } }),
  'he-exclusive-gate': variant('exclusive-gate', { junction: { kind: 'exclusiveGate', kernelSize: 1, bias: -6 } }),
  'he-shortcut-gate-0': variant('shortcut-gate-0', { junction: { kind: 'shortcutGate', kernelSize: 1, bias: 0 } }),
  'he-shortcut-gate': variant('shortcut-gate', { junction: { kind: 'shortcutGate', kernelSize: 1, bias: -6 } }),
  'he-dropout-shortcut': variant('dropout-shortcut', { junction: { kind: 'dropout', keep: 0.5 } }),
  'he-normalized-addition': variant('normalized-addition', { order: 'normalizedAddition' }),
  'he-activated-branch': variant('activated-branch', { order: 'activatedBranch' }),
  'he-relu-pre-activation': variant('relu-pre-activation', { order: 'reluPreActivation' }),
  'he-pre-activation': variant('pre-activation', { order: 'preActivation' }),
} as const;

const highwayDepths = '3n+2 (11, 20, 32, …)';

/**
 * Three stages of n layers, the first of a later stage plain with stride 2, each other y = T·H(x) + (1 − T)·x with
 * T = sigmoid(W·x + b) of a 3×3 convolution too, b = −2 at first; no batch norms. The papers' nets had other widths and a
 * maxout, so that theirs and these are of one kind, not the same.
 * @source Srivastava, Greff & Schmidhuber 2015
 */
export const highway = architectures(
  {
    form: 'highway<depth>',
    depthRule: highwayDepths,
    patterns: [/^highway(?<depth>\d+)$/],
    nameOf: (depth) => `highway${depth}`,
    typeOf: (depth) => `Highway${depth}`,
    depths: [11, 20, 32],
    defaults: heDefaults,
  },
  (depth) => layerwise(depth, 'highway', { shortcut: 'unchanged', junction: gate }),
);

/** The same layers without gates. */
export const highwayPlain = architectures(
  {
    form: 'highway<depth>-plain',
    depthRule: highwayDepths,
    patterns: [/^highway(?<depth>\d+)-plain$/],
    nameOf: (depth) => `highway${depth}-plain`,
    typeOf: (depth) => `Highway${depth}-plain`,
    depths: [11, 20, 32],
    defaults: heDefaults,
  },
  (depth) => layerwise(depth, 'highway-plain', { shortcut: 'none' }),
);

const gate = { kind: 'exclusiveGate', kernelSize: 3, bias: -2 } as const;

function layerwise(depth: number, family: string, change: Pick<Architecture, 'shortcut' | 'junction'>): Architecture {
  const units = (depth - 2) / 3;
  if (!Number.isInteger(units) || units < 1) {
    throw new ValueError(`depth ${depth} of ${family}: it must be 3n+2, such as 11, 20 or 32.`, { depth });
  }
  return {
    padding: 'symmetric',
    bias: true,
    batchNorm: false,
    stem: { filters: 16, kernelSize: 3, strides: 1, pool: false },
    stages: heStages(units),
    branch: [{ kernelSize: 3, expansion: 1, strided: true }],
    order: 'activatedBranch',
    ...change,
  };
}
