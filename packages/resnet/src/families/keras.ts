import { blocksPerStage } from '../depth.ts';
import { plainNet } from '../plain.ts';
import { resnetV1 } from '../v1.ts';
import { resnetV2 } from '../v2.ts';
import { basicDepths, bottleneckDepths, cifar10, type FamilyDefinition } from './family.ts';

/** The networks of the Keras example: convolutions with biases and SAME padding, projections without batch norm. */

/** He et al. 2015, basic blocks, as the example builds it. */
export const v1: FamilyDefinition = {
  form: 'resnet<depth>v1',
  depthRule: basicDepths,
  patterns: [/^resnet(?<depth>\d+)v1$/],
  nameOf: (depth) => `resnet${depth}v1`,
  typeOf: (depth) => `ResNet${depth}v1`,
  depths: [8, 14, 20, 32, 44, 56, 110, 164, 1202],
  defaults: cifar10,
  checkDepth: (depth) => void blocksPerStage('v1', depth, 6),
  build: resnetV1,
};

/** Full pre-activation bottlenecks, with the example's widths (16/64/128 inside). */
export const v2: FamilyDefinition = {
  form: 'resnet<depth>v2',
  depthRule: bottleneckDepths,
  patterns: [/^resnet(?<depth>\d+)v2$/],
  nameOf: (depth) => `resnet${depth}v2`,
  typeOf: (depth) => `ResNet${depth}v2`,
  depths: [11, 20, 29, 56, 110, 164, 1001],
  defaults: cifar10,
  checkDepth: (depth) => void blocksPerStage('v2', depth, 9),
  build: resnetV2,
};

/** v1 without additions and projections. */
export const plain: FamilyDefinition = {
  form: 'plain<depth>',
  depthRule: basicDepths,
  patterns: [/^plain(?<depth>\d+)$/],
  nameOf: (depth) => `plain${depth}`,
  typeOf: (depth) => `Plain${depth}`,
  depths: [8, 14, 20, 32, 44, 56, 110],
  defaults: cifar10,
  checkDepth: (depth) => void blocksPerStage('plain', depth, 6),
  build: plainNet,
};
