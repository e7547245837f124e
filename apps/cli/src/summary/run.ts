import { plannedMemory, summarize, type ModelConfig } from '@skiplane/resnet';
import prettyBytes from 'pretty-bytes';
import { UsageError } from '../errors.ts';
import { findModel } from '../model.ts';
import { printJson, printLine } from '../output.ts';
import { formatCount } from '../render/format.ts';
import { renderTable } from '../render/table.ts';
import { openCheckpoint } from '../weights.ts';

export interface SummaryFlags {
  readonly weights?: string | undefined;
  readonly batch: readonly number[];
  readonly json?: true | undefined;
}

/** `skiplane summary`. */
export async function summary(modelName: string | undefined, { weights, batch, json }: SummaryFlags): Promise<void> {
  const model = await chooseModel(modelName, weights);
  const facts = summarize(model);
  const memory = batch.map((size) => ({
    batch: size,
    inference: plannedMemory(model, { batch: size, mode: 'inference' }),
    training: plannedMemory(model, { batch: size, mode: 'training' }),
  }));
  if (json) printJson({ ...facts, memory });
  else print(facts, memory);
}

async function chooseModel(name: string | undefined, weights: string | undefined): Promise<ModelConfig> {
  if (name !== undefined && weights !== undefined) {
    throw new UsageError(`summary takes a model or --weights, but both are given ('${name}' and '${weights}').`);
  }
  if (weights !== undefined) return (await openCheckpoint(weights)).model;
  if (name !== undefined) return findModel(name);
  throw new UsageError("summary needs a model, such as 'skiplane summary resnet20v1', or --weights FILE.");
}

type Facts = ReturnType<typeof summarize>;
type Memory = Readonly<Record<'inference' | 'training', ReturnType<typeof plannedMemory>>> & { readonly batch: number };

function print({ type, layers, parameters, multiplyAdds }: Facts, memory: readonly Memory[]): void {
  printLine(type);
  printLine();
  printLine(
    renderTable({
      head: ['Layer', 'Kind', 'Output', 'Parameters', 'Multiply-adds'],
      align: ['left', 'left', 'left', 'right', 'right'],
      rows: layers.map((layer) => [
        layer.name,
        layer.kind,
        layer.outputShape.join(' × '),
        formatCount(layer.parameters),
        formatCount(layer.multiplyAdds),
      ]),
    }),
  );
  printLine();
  printLine(`Total parameters:         ${formatCount(parameters.total)}`);
  printLine(`Trainable parameters:     ${formatCount(parameters.trainable)}`);
  printLine(`Non-trainable parameters: ${formatCount(parameters.nonTrainable)}`);
  printLine(`Multiply-adds an image:   ${formatCount(multiplyAdds)}`);
  printLine();
  printLine(
    renderTable({
      head: ['Batch', 'Memory to infer', 'Memory to train'],
      align: ['right', 'right', 'right'],
      rows: memory.map(({ batch, inference, training }) => [
        formatCount(batch),
        prettyBytes(inference.totalBytes, { binary: true }),
        prettyBytes(training.totalBytes, { binary: true }),
      ]),
    }),
  );
}
