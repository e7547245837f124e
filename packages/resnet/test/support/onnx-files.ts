import { encodeOnnx } from '../../src/formats/onnx-schema.ts';
import type { NamedTensor } from '../../src/checkpoint/safetensors.ts';

export interface OnnxNodeText {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** A number is a float where it is no whole one; a list is of integers. */
  readonly attrs?: Readonly<Record<string, number | string | readonly number[]>>;
}

const info = (name: string, dims: readonly number[]) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});

/** An ONNX file of some nodes; the first input is `x`, the output that of the last node. */
export function onnxFile(
  input: readonly number[],
  nodes: readonly OnnxNodeText[],
  tensors: Readonly<Record<string, NamedTensor>>,
): Uint8Array {
  const model = {
    irVersion: 8,
    metadataProps: [],
    producerName: 'test',
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'net',
      node: nodes.map(({ op, inputs, output, attrs = {} }) => ({
        opType: op,
        name: output,
        input: inputs,
        output: [output],
        attribute: Object.entries(attrs).map(([name, value]) => attribute(name, value)),
      })),
      initializer: Object.entries(tensors).map(([name, { shape, data }]) => ({
        name,
        dims: shape,
        dataType: 1,
        rawData: new Uint8Array(data.slice().buffer),
      })),
      input: [info('x', input)],
      output: [info(nodes.at(-1)?.output ?? '', [])],
    },
  };
  return encodeOnnx(model);
}

function attribute(name: string, value: number | string | readonly number[]) {
  if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: 3 };
  if (typeof value === 'number')
    return Number.isInteger(value) ? { name, i: value, type: 2 } : { name, f: value, type: 1 };
  return { name, ints: value, type: 7 };
}
