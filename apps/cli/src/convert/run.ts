import { foldLayers, parameterSpecs, countParameters } from '@skiplane/resnet';
import { saveCheckpoint } from '@skiplane/resnet/node';
import { UsageError } from '../errors.ts';
import { checkFolderOf } from '../folder.ts';
import { note, printJson, printLine } from '../output.ts';
import { formatCount } from '../render/format.ts';
import { openWeights } from '../weights.ts';

export interface ConvertFlags {
  readonly preprocess?: string | undefined;
  readonly data?: string | undefined;
  readonly fold?: true | undefined;
  readonly json?: true | undefined;
}

/** `skiplane convert`. The state of a training run stays behind. */
export async function convert(from: string, to: string, { fold, json, ...flags }: ConvertFlags): Promise<void> {
  if (!to.endsWith('.safetensors')) {
    throw new UsageError(
      `cannot write '${to}': checkpoints are the only kind that is written; give it the ending .safetensors.`,
    );
  }
  checkFolderOf(to, 'the file to be written');
  const loaded = await openWeights({ weights: from, ...flags });
  const { format, classNames, preprocessing } = loaded;
  const { model, parameters } = fold ? foldLayers(loaded) : loaded;
  await saveCheckpoint(to, { model, classNames, preprocessing, parameters, training: null });
  if (preprocessing === null)
    note(`'${to}' does not say how images are prepared: evaluate and predict will ask for --preprocess.`);
  const { total } = countParameters(parameterSpecs(model));
  if (json) printJson({ from, to, format, model: model.name, parameters: total, folded: fold ?? false });
  else printLine(`${model.name} of '${from}' (${format}) is now '${to}': ${formatCount(total)} parameters`);
}
