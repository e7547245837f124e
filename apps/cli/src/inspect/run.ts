import { elementCount, FormatError } from '@skiplane/core';
import { summarize, type FileTensor, type NetworkOutline, type ModelSummary } from '@skiplane/resnet';
import { openModelPath, type OpenedPath } from '@skiplane/resnet/node';
import { printJson, printLine } from '../output.ts';
import { formatCount } from '../render/format.ts';
import { renderTable } from '../render/table.ts';
import { checkFile } from '../weights.ts';

export interface InspectFlags {
  readonly tensors?: true | undefined;
  readonly json?: true | undefined;
  /** Of a PyTorch file. */
  readonly entry?: string | undefined;
}

interface Facts extends OpenedPath {
  readonly path: string;
  /** The network, or why the file holds none that can be used. */
  readonly network: { readonly summary: ModelSummary; readonly outline: NetworkOutline } | { readonly problem: string };
}

/** `skiplane inspect`. A file that cannot be used is still shown. */
export async function inspect(path: string, { tensors, json, entry }: InspectFlags): Promise<void> {
  checkFile(path, 'the file');
  const opened = await openModelPath(path, { entry });
  const facts: Facts = { path, ...opened, network: networkOf(opened.file) };
  if (json) printJson(jsonOf(facts));
  else print(facts, tensors ?? false);
}

function networkOf(file: OpenedPath['file']): Facts['network'] {
  try {
    const outline = file.outline();
    return { summary: summarize(outline.model), outline };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { problem: error.message };
  }
}

function jsonOf({ path, bytes, sha256: hash, file, network }: Facts) {
  const { format, metadata, tensors } = file;
  const shown = [...tensors.values()].map(({ name, shape, dtype }) => ({ name, shape, dtype }));
  const model =
    'problem' in network ? network : { ...network.summary, preprocessing: sayPreprocessing(network.outline) };
  return { file: path, format, bytes, sha256: hash, metadata, tensors: shown, model };
}

function print({ path, bytes, sha256: hash, file, network }: Facts, withTensors: boolean): void {
  const { format, metadata, tensors } = file;
  const elements = [...tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);
  printLine(path);
  printLine(`  format      ${format}, ${formatCount(bytes)} bytes`);
  printLine(`  SHA-256     ${hash}`);
  printLine(`  tensors     ${formatCount(tensors.size)}, of ${formatCount(elements)} elements`);
  for (const [key, value] of Object.entries(metadata)) printLine(`  ${key.padEnd(11)} ${oneLine(value)}`);
  if ('problem' in network) printLine(`\nIt cannot be used as it is: ${network.problem}`);
  else printNetwork(network.summary, network.outline);
  if (withTensors || 'problem' in network) printTensors([...tensors.values()]);
}

function printNetwork({ name, layers, parameters, multiplyAdds }: ModelSummary, outline: NetworkOutline): void {
  const { imageSize, channels, classes } = outline.model;
  printLine(`  network     ${name}: images ${imageSize.join('×')}×${channels}, ${classes} classes`);
  printLine(`  images      ${sayPreprocessing(outline)}`);
  printLine(`  parameters  ${formatCount(parameters.total)}, ${formatCount(multiplyAdds)} multiply-adds an image\n`);
  const rows = layers.map((layer) => [
    layer.name,
    layer.kind,
    layer.outputShape.join(' × '),
    formatCount(layer.parameters),
  ]);
  printLine(
    renderTable({ head: ['Layer', 'Kind', 'Output', 'Parameters'], align: ['left', 'left', 'left', 'right'], rows }),
  );
}

function printTensors(tensors: readonly FileTensor[]): void {
  const rows = tensors.map(({ name, shape, dtype }) => [
    name,
    dtype,
    shape.join(' × ') || 'scalar',
    formatCount(elementCount(shape)),
  ]);
  printLine();
  printLine(
    renderTable({ head: ['Tensor', 'Type', 'Shape', 'Elements'], align: ['left', 'left', 'left', 'right'], rows }),
  );
}

function sayPreprocessing({ preprocessing }: NetworkOutline): string {
  if (preprocessing === null) return 'the file does not say how they are prepared (--preprocess)';
  const { scale, std } = preprocessing;
  return `pixel·${scale} minus a mean${std === undefined ? '' : ', divided by a standard deviation'}`;
}

const maxShown = 100;

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > maxShown ? `${line.slice(0, maxShown)}…` : line;
}
