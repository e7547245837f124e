import { GraphError, valueOf, type Graph, type Op, type ValueId } from '@skiplane/core';
import { inputName, type LayerAttrs, type LayerGraph, type LayerKind, type LayerNode } from './layer-graph.ts';

/** The layers of an unfused inference graph, and that which gives its output `logits`. */
export function layersOf(graph: Graph): Pick<LayerGraph, 'layers' | 'output'> {
  return new GraphReader(graph).read();
}

/** Reads layers out of the unfused ops of an inference graph. */
class GraphReader {
  readonly #graph: Graph;
  readonly #layers: LayerNode[] = [];
  /** The layer that computes a value. */
  readonly #sources = new Map<ValueId, string>();

  constructor(graph: Graph) {
    this.#graph = graph;
    for (const { id, name } of graph.values) if (name === 'x') this.#sources.set(id, inputName);
  }

  read(): Pick<LayerGraph, 'layers' | 'output'> {
    for (const op of this.#graph.ops) this.#op(op);
    const logits = this.#graph.values.find(({ name }) => name === 'logits');
    return { layers: this.#layers, output: this.#source(logits?.id ?? -1) };
  }

  #op(op: Op): void {
    const { kind, label } = op;
    if (kind === 'conv2d') this.#conv(op);
    else if (kind === 'matMul') {
      this.#add(op, 'dense', this.#owner(op, 1), { units: this.#shape(op.inputs[1])[1] ?? 1, bias: false });
    } else if (kind === 'biasAdd') this.#bias(op);
    else if (kind === 'batchNormInference') {
      this.#add(op, 'batchNorm', this.#owner(op, 1), { epsilon: op.attrs.epsilon });
    } else if (kind === 'relu') this.#add(op, 'relu', label, {});
    else if (kind === 'add') this.#add(op, 'add', label, {}, 2);
    else if (kind === 'averagePool2d') this.#averagePool(op);
    else if (kind === 'padChannels') this.#add(op, 'padChannels', label, op.attrs);
    else if (kind === 'maxPool2d') this.#add(op, 'maxPool', label, op.attrs.window);
    else if (kind === 'reshape') this.#add(op, 'flatten', label, {});
    else if (kind !== 'softmax') throw new GraphError(`op '${kind}' of '${this.#graph.name}' is no layer`, { kind });
  }

  #conv(op: Op<'conv2d'>): void {
    const [height = 1, width = 1, , filters = 1] = this.#shape(op.inputs[1]);
    const { strides, padding } = op.attrs.window;
    this.#add(op, 'conv2d', this.#owner(op, 1), {
      filters,
      kernelSize: [height, width],
      strides,
      padding,
      bias: false,
    });
  }

  /** Over one pixel it is that pixel. */
  #averagePool(op: Op<'averagePool2d'>): void {
    const { size, strides, padding } = op.attrs.window;
    const one = size.every((length) => length === 1) && Object.values(padding).every((zeros) => zeros === 0);
    if (one && strides.some((stride) => stride > 1)) this.#add(op, 'subsample', op.label, { strides });
    else this.#add(op, 'averagePool', op.label, op.attrs.window);
  }

  /** The bias of the layer before it, when that has the same name, or a layer of its own. */
  #bias(op: Op<'biasAdd'>): void {
    const owner = this.#owner(op, 1);
    const at = this.#layers.findIndex(({ name }) => name === owner);
    const layer = this.#layers[at];
    if (layer === undefined || (layer.kind !== 'conv2d' && layer.kind !== 'dense'))
      return this.#add(op, 'bias', owner, {});
    this.#layers[at] = { ...layer, attrs: { ...layer.attrs, bias: true } } as LayerNode;
    this.#sources.set(op.outputs[0] ?? -1, owner);
  }

  #add<K extends LayerKind>(op: Op, kind: K, name: string, attrs: LayerAttrs[K], operands = 1): void {
    const inputs = op.inputs.slice(0, operands).map((id) => this.#source(id));
    this.#layers.push({ name, kind, inputs, attrs } as unknown as LayerNode);
    this.#sources.set(op.outputs[0] ?? -1, name);
  }

  /** The layer whose parameter an operand is: `conv1` of `conv1/filter`. */
  #owner(op: Op, index: number): string {
    const name = valueOf(this.#graph, op.inputs[index] ?? -1).name ?? '';
    return name.slice(0, name.lastIndexOf('/'));
  }

  #shape(id = -1): readonly number[] {
    return valueOf(this.#graph, id).shape;
  }

  #source(id: ValueId): string {
    const source = this.#sources.get(id);
    if (source === undefined) throw new GraphError(`value ${id} of '${this.#graph.name}' is the output of no layer`);
    return source;
  }
}
