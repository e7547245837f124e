import type { Architecture } from '../architecture/architecture.ts';
import type { FamilyDefinition } from './family.ts';
import { he2015, he2015b, he2015c, he2016 } from './he.ts';
import { imageNetV1, imageNetV15, imageNetV2 } from './imagenet.ts';
import { plain, v1, v2 } from './keras.ts';
import { heVariants, highway, highwayPlain } from './variants.ts';

/** Every family, by the key that checkpoints keep. */
const families = {
  v1,
  v2,
  plain,
  he2015,
  he2015b,
  he2015c,
  he2016,
  'imagenet-v1': imageNetV1,
  'imagenet-v1.5': imageNetV15,
  'imagenet-v2': imageNetV2,
  ...heVariants,
  highway,
  'highway-plain': highwayPlain,
} as const satisfies Readonly<Record<string, FamilyDefinition>>;

export type Family = keyof typeof families;

export const familyNames = Object.keys(families) as readonly Family[];

/** The definition of a family. */
export const familyOf = (family: Family): FamilyDefinition => families[family];

/** Layers with weights on the longest path: the stem, the convolutions of all units, and the dense layer. */
export function depthOf({ stages, branch }: Architecture): number {
  return stages.reduce((count, { units }) => count + units * branch.length, 2);
}
