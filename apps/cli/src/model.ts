import { modelConfig, modelNames, type ModelConfig } from '@skiplane/resnet';
import { errorMessage, UsageError } from './errors.ts';
import { didYouMean } from './suggest.ts';

/** The model of a name. @throws {UsageError} with the rules of names, and the nearest one */
export function findModel(name: string): ModelConfig {
  try {
    return modelConfig(name);
  } catch (error) {
    throw new UsageError(`${errorMessage(error)}${suggestion(name)}`, { cause: error });
  }
}

/** A depth is seldom mistyped: networks that have it come first. */
function suggestion(name: string): string {
  const depth = numbersIn(name);
  const asDeep = modelNames.filter((known) => numbersIn(known).some((number) => depth.includes(number)));
  return didYouMean(name, asDeep) || didYouMean(name, modelNames);
}

/** The 1 and 2 of v1 and v2 are no depths. */
const numbersIn = (name: string): readonly string[] =>
  (name.match(/\d+/g) ?? []).filter((digits) => Number(digits) > 2);
