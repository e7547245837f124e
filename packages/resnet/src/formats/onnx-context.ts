import type { FileTensor } from './model-file.ts';
import type { NetworkAssembler } from './network-assembler.ts';
import type { OnnxNode } from './onnx-schema.ts';
import { isLayer, Unrepresentable, type LayerValue, type OnnxValue } from './onnx-values.ts';

/** A node, and what it reads. */
export interface NodeContext {
  readonly net: NetworkAssembler;
  readonly node: OnnxNode;
  readonly title: string;
  /** Undefined where an optional one is left out. */
  readonly inputs: readonly (OnnxValue | undefined)[];
}

function attributeOf({ attribute }: OnnxNode, name: string) {
  return attribute.find((item) => item.name === name);
}

/** Of a list, or of one integer. */
export function intsOf(node: OnnxNode, name: string): readonly number[] | undefined {
  const attribute = attributeOf(node, name);
  return attribute === undefined || attribute.ints.length > 0 ? attribute?.ints : [attribute.i];
}

export function intOf(node: OnnxNode, name: string, fallback: number): number {
  return attributeOf(node, name)?.i ?? fallback;
}

export function floatOf(node: OnnxNode, name: string, fallback: number): number {
  return attributeOf(node, name)?.f ?? fallback;
}

export function textOf(node: OnnxNode, name: string): string {
  return new TextDecoder().decode(attributeOf(node, name)?.s ?? new Uint8Array(0));
}

type Inputs = NodeContext['inputs'];

export function layerAt(inputs: Inputs, index: number): LayerValue {
  const value = inputs[index];
  if (value === undefined || !isLayer(value))
    throw new Unrepresentable(`input ${index} is a constant, where a layer's output is needed`);
  return value;
}

export function imageAt(inputs: Inputs, index: number): LayerValue {
  const value = layerAt(inputs, index);
  if (value.layout === 'features') throw new Unrepresentable(`input ${index} is no image`);
  return value;
}

export function constantAt(inputs: Inputs, index: number): FileTensor {
  const value = inputs[index];
  if (value === undefined || isLayer(value))
    throw new Unrepresentable(`input ${index} is computed, where a constant is needed`);
  return value.constant;
}

/** Features in another order than here must meet a dense layer first, whose rows can be put in order. */
export function notScrambled({ image }: LayerValue): void {
  const [height = 1, width = 1] = image ?? [];
  if (height * width > 1) throw new Unrepresentable('it takes a flattened image channel by channel');
}
