import { isLayerGraph, plannedMemory, summarize, type Model } from '@skiplane/resnet';
import prettyBytes from 'pretty-bytes';
import { UsageError } from '../errors.ts';
import { findModel } from '../model.ts';
import { printJson, printLine } from '../output.ts';
import { formatCount } from '../render/format.ts';
import { renderTable } from '../render/table.ts';
import { openWeights } from '../weights.ts';

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
    // Graphs of layers from elsewhere are used here, not trained.
    training: isLayerGraph(model) ? null : plannedMemory(model, { batch: size, mode: 'training' }),
  }));
  if (json) printJson({ ...facts, memory });
  else print(facts, memory);
}

async function chooseModel(name: string | undefined, weights: string | undefined): Promise<Model> {
  if (name !== undefined && weights !== undefined) {
    throw new UsageError(`summary takes a model or --weights, but both are given ('${name}' and '${weights}').`);
  }
  if (weights !== undefined) return (await openWeights({ weights })).model;
  if (name !== undefined) return findModel(name);
  throw new UsageError("summary needs a model, such as 'skiplane summary resnet20v1', or --weights FILE.");
}

type Facts = ReturnType<typeof summarize>;
type Planned = ReturnType<typeof plannedMemory>;

interface Memory {
  readonly batch: number;
  readonly inference: Planned;
  readonly training: Planned | null;
}

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
        training === null ? '–' : prettyBytes(training.totalBytes, { binary: true }),
      ]),
    }),
  );
}
