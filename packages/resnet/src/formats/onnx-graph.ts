import { inputName } from '../layer-graph/layer-graph.ts';
import { fileError, type FileTensor, type NetworkOutline } from './model-file.ts';
import { NetworkAssembler, unsupportedLayers, type Unsupported } from './network-assembler.ts';
import type { NodeContext } from './onnx-context.ts';
import { importNode, isImported, oddAttributes } from './onnx-nodes.ts';
import type { OnnxModel, OnnxNode, OnnxValueInfo } from './onnx-schema.ts';
import { isLayer, Unrepresentable, type LayerValue, type OnnxValue } from './onnx-values.ts';

const format = 'ONNX';
const maxNodes = 100_000;

/**
 * The network of an ONNX graph, with its images NHWC.
 * @throws {FormatError} that lists all nodes which cannot be represented, or all tensors that do not fit
 */
export function onnxNetwork(
  graph: NonNullable<OnnxModel['graph']>,
  tensors: ReadonlyMap<string, FileTensor>,
): NetworkOutline {
  const { node: nodes, output: outputs } = graph;
  const inputs = graph.input.filter(({ name }) => !tensors.has(name));
  const [input] = inputs;
  const [output] = outputs;
  if (nodes.length > maxNodes) throw fileError(format, `it has ${nodes.length} nodes`);
  if (input === undefined || output === undefined || inputs.length > 1 || outputs.length > 1) {
    throw fileError(
      format,
      `its graph has ${inputs.length} inputs and ${outputs.length} outputs`,
      'Only networks with one of each can be used.',
    );
  }
  const { image, layout } = imageOf(input, nodes);
  const name = graph.name === '' ? 'onnx network' : graph.name;
  const net = new NetworkAssembler(name, image);
  const walk = new Walk(net, tensors, input.name, { layer: inputName, layout });
  for (const node of nodes) walk.node(node, node.output.includes(output.name));
  if (walk.unsupported.length > 0) throw unsupportedLayers(name, walk.unsupported);
  const result = walk.values.get(output.name);
  if (result === undefined || !isLayer(result))
    throw fileError(format, `its output '${output.name}' is computed by no node from its input`);
  const [height = 1, width = 1] = result.image ?? [];
  if (height * width > 1) net.problem(`the output '${output.name}' is an image, not the scores of classes`);
  for (const unused of tensors.keys()) if (!walk.used.has(unused)) net.problem(`tensor '${unused}' is used by nothing`);
  return net.finish(result.layer);
}

class Walk {
  readonly values = new Map<string, OnnxValue>();
  readonly used = new Set<string>();
  readonly unsupported: Unsupported[] = [];
  readonly #net: NetworkAssembler;
  readonly #tensors: ReadonlyMap<string, FileTensor>;
  /** Outputs of nodes that cannot be represented, and what depends on them. */
  readonly #unknown = new Set<string>();

  constructor(net: NetworkAssembler, tensors: ReadonlyMap<string, FileTensor>, input: string, value: LayerValue) {
    this.#net = net;
    this.#tensors = tensors;
    this.values.set(input, value);
  }

  node(node: OnnxNode, last: boolean): void {
    const title = { name: node.name || node.output[0] || '', kind: node.opType };
    const refuse = (why?: string): void => {
      this.unsupported.push({ ...title, ...(why !== undefined && { why }) });
      for (const output of node.output) this.#unknown.add(output);
    };
    if (!isImported(node)) return refuse();
    const odd = oddAttributes(node, last);
    if (odd.length > 0) return refuse(odd.join(', '));
    if (node.input.some((input) => this.#unknown.has(input))) {
      for (const output of node.output) this.#unknown.add(output);
      return;
    }
    const inputs = node.input.map((input) => (input === '' ? undefined : this.#value(input, title.name)));
    const context: NodeContext = { net: this.#net, node, title: title.name, inputs };
    try {
      const [output = ''] = node.output;
      if (this.values.has(output) || this.#tensors.has(output))
        throw fileError(format, `two values are named '${output}'`);
      this.values.set(output, importNode(context));
    } catch (error) {
      if (!(error instanceof Unrepresentable)) throw error;
      refuse(error.message);
    }
  }

  #value(name: string, reader: string): OnnxValue {
    const value = this.values.get(name);
    if (value !== undefined) return value;
    const constant = this.#tensors.get(name);
    if (constant === undefined)
      throw fileError(format, `node '${reader}' reads '${name}', which no node before it computes`);
    this.used.add(name);
    return { constant };
  }
}

/** What may stand before the channels are moved: what is done to every pixel alike. */
const pixelwise = new Set(['Add', 'Sub', 'Mul', 'Div', 'Cast', 'Identity']);

function channelsComeLast(input: string, nodes: readonly OnnxNode[]): boolean {
  const images = new Set([input]);
  for (const node of nodes) {
    if (!node.input.some((name) => images.has(name))) continue;
    if (node.opType === 'Transpose')
      return node.attribute.find(({ name }) => name === 'perm')?.ints.join() === '0,3,1,2';
    if (!pixelwise.has(node.opType)) return false;
    for (const output of node.output) images.add(output);
  }
  return false;
}

/** The input's sizes: ONNX has the channels first, unless the first node but pixelwise ones moves them there. */
function imageOf({ name, type }: OnnxValueInfo, nodes: readonly OnnxNode[]) {
  const dims = type?.tensorType?.shape?.dim.map(({ dimValue }) => dimValue) ?? [];
  const [, a = 0, b = 0, c = 0] = dims;
  if (dims.length !== 4 || [a, b, c].some((size) => size < 1)) {
    throw fileError(
      format,
      `its input '${name}' has the shape [${dims.join(',')}] (0 where it is not fixed)`,
      'Only images [batch, channels, height, width] of fixed size can be used.',
    );
  }
  return channelsComeLast(name, nodes)
    ? { image: [a, b, c] as const, layout: 'nhwc' as const }
    : { image: [b, c, a] as const, layout: 'nchw' as const };
}
