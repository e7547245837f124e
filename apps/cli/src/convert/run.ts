import { countParameters, foldLayers, parameterSpecs, type SavableModel } from '@skiplane/resnet';
import { modelTarget, saveModel, type ModelTarget } from '@skiplane/resnet/node';
import { errorMessage, UsageError } from '../errors.ts';
import { checkFolderOf } from '../folder.ts';
import { note, printJson, printLine } from '../output.ts';
import { formatCount } from '../render/format.ts';
import { openWeights } from '../weights.ts';

export interface ConvertFlags {
  readonly preprocess?: string | undefined;
  readonly data?: string | undefined;
  readonly entry?: string | undefined;
  readonly fold?: true | undefined;
  readonly json?: true | undefined;
}

/** `skiplane convert`. Of a training run, Keras files keep what they have a place for; checkpoints of weights nothing. */
export async function convert(from: string, to: string, { fold, json, ...flags }: ConvertFlags): Promise<void> {
  const target = targetOf(to);
  checkFolderOf(target.path, 'the file to be written');
  const loaded = await openWeights({ weights: from, ...flags });
  const { format, classNames, preprocessing, optimizer, model: original } = loaded;
  const { model, parameters } = fold ? foldLayers(loaded) : loaded;
  // An optimizer's state belongs to the parameters that were trained.
  const keepsTraining = target.format !== 'skiplane-checkpoint' && model === original;
  const kept: Partial<SavableModel> = keepsTraining ? { training: loaded.training, optimizer } : {};
  const { paths, notes } = await saveModel(target.path, { model, parameters, classNames, preprocessing, ...kept });
  for (const text of notes) note(text);
  if (preprocessing === null)
    note(`'${target.path}' does not say how images are prepared: evaluate and predict will ask for --preprocess.`);
  const { total } = countParameters(parameterSpecs(model));
  const facts = { from, to: target.path, format, written: target.format, files: paths };
  if (json) printJson({ ...facts, model: model.name, parameters: total, folded: fold ?? false });
  else {
    const more = paths.length > 1 ? `, and ${paths.length - 1} more beside it` : '';
    printLine(
      `${model.name} of '${from}' (${format}) is now '${target.path}'${more}: ${formatCount(total)} parameters`,
    );
  }
}

/** @throws {UsageError} when the ending is of nothing that can be written */
function targetOf(to: string): ModelTarget {
  try {
    return modelTarget(to);
  } catch (error) {
    throw new UsageError(errorMessage(error), { cause: error });
  }
}
