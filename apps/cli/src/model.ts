import { modelConfig, type ModelConfig } from '@skiplane/resnet';
import { errorMessage, UsageError } from './errors.ts';
import { didYouMean } from './suggest.ts';

/** Names to suggest; every depth of the rule is allowed. */
const knownModels = [
  ...[8, 14, 20, 32, 44, 56, 110, 164].map((depth) => `resnet${depth}v1`),
  ...[11, 20, 29, 56, 110, 164, 1001].map((depth) => `resnet${depth}v2`),
  ...[8, 14, 20, 32, 44, 56, 110].map((depth) => `plain${depth}`),
];

/** The model of a name. @throws {UsageError} with the rule of names, and the nearest one */
export function findModel(name: string): ModelConfig {
  try {
    return modelConfig(name);
  } catch (error) {
    throw new UsageError(`${errorMessage(error)}${didYouMean(name, knownModels)}`, { cause: error });
  }
}
