import { ValueError } from '@skiplane/core';
import type { Architecture } from '../architecture/architecture.ts';
import { differences } from '../recipe/differences.ts';
import type { FamilyDefinition } from './family.ts';
import { depthOf, familyNames, familyOf, type Family } from './index.ts';

/** The family that has a network of this architecture, if one has. */
export function familyWith(architecture: Architecture): Family | undefined {
  return familyNames.find((family) => {
    const own = architectureOf(familyOf(family), depthOf(architecture));
    return own !== undefined && differences(own, architecture).length === 0;
  });
}

function architectureOf(family: FamilyDefinition, depth: number): Architecture | undefined {
  try {
    return family.architecture?.(depth);
  } catch (error) {
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}
