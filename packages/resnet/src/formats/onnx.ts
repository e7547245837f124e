import type { ByteSource } from '../byte-source.ts';
import { fileError, type FileTensor, type ModelDirectory } from './model-file.ts';
import { onnxNetwork } from './onnx-graph.ts';
import { otherFiles } from './onnx-other-files.ts';
import { decodeOnnx, type OnnxModel } from './onnx-schema.ts';
import { ownKey } from './own-key.ts';
import { onnxTensor } from './onnx-tensor.ts';
import type { ReadSibling } from './sibling.ts';

const format = 'ONNX';

/**
 * A protobuf message whose first field is the version of the representation, an integer below 128, as every writer has it.
 * @param head  the first bytes of a file
 */
export function looksLikeOnnx(head: Uint8Array): boolean {
  const [tag, version = 0, next] = head;
  return (
    tag === 0x08 &&
    version > 0 &&
    version < 64 &&
    next !== undefined &&
    [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42].includes(next)
  );
}

/** Reads an ONNX model. @throws {FormatError} when it is damaged, or its tensors are not where it says */
export async function readOnnx(source: ByteSource, sibling: ReadSibling): Promise<ModelDirectory> {
  const model = decodeOnnx(source);
  const { graph } = model;
  if (graph === null || graph.node.length === 0) throw fileError(format, 'it has no graph');
  const tensors = new Map<string, FileTensor>();
  const others = await otherFiles(graph.initializer, sibling);
  for (const tensor of graph.initializer) {
    if (tensors.has(tensor.name)) throw fileError(format, `it has two tensors named '${tensor.name}'`);
    tensors.set(tensor.name, onnxTensor(tensor, others));
  }
  return {
    format: 'onnx',
    tensors,
    metadata: metadataOf(model),
    outline: () => onnxNetwork(graph, tensors),
  };
}

function metadataOf({ irVersion, producerName, producerVersion, opsetImport, metadataProps, docString }: OnnxModel) {
  const opset = opsetImport.map(({ domain, version }) => `${domain || 'ai.onnx'} ${version}`).join(', ');
  const all = [
    ['irVersion', String(irVersion)],
    ['producer', `${producerName} ${producerVersion}`.trim()],
    ['opset', opset],
    ['doc', docString.slice(0, 2000)],
    ...metadataProps.map(({ key, value }) => [key, key === ownKey ? value : value.slice(0, 2000)]),
  ];
  return Object.fromEntries(all.filter(([, value]) => value !== '')) as Record<string, string>;
}
