import { fileError, type FileTensor, type ModelFile } from './model-file.ts';
import { onnxNetwork } from './onnx-graph.ts';
import type { OnnxModel } from './onnx-schema.ts';
import { ownKey } from './own-metadata.ts';
import { onnxTensor } from './onnx-tensor.ts';

const format = 'ONNX';

/** A protobuf message whose first field is the version of the representation, an integer below 128, as every writer has it. */
export function looksLikeOnnx(bytes: Uint8Array): boolean {
  const [tag, version = 0, next] = bytes;
  return (
    tag === 0x08 &&
    version > 0 &&
    version < 64 &&
    next !== undefined &&
    [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42].includes(next)
  );
}

/** Reads an ONNX model. @throws {FormatError} when it is damaged, or its tensors lie in other files */
export async function readOnnx(bytes: Uint8Array): Promise<ModelFile> {
  const { decodeOnnx } = await import('./onnx-schema.ts');
  let model: OnnxModel;
  try {
    model = decodeOnnx(bytes);
  } catch (error) {
    throw fileError(
      format,
      `its message is damaged (${error instanceof Error ? error.message : String(error)})`,
      undefined,
      error,
    );
  }
  const { graph } = model;
  if (graph === null || graph.node.length === 0) throw fileError(format, 'it has no graph');
  const tensors = new Map<string, FileTensor>();
  for (const tensor of graph.initializer) {
    if (tensors.has(tensor.name)) throw fileError(format, `it has two tensors named '${tensor.name}'`);
    tensors.set(tensor.name, onnxTensor(tensor));
  }
  return {
    format: 'onnx',
    tensors,
    metadata: metadataOf(model),
    network: () => onnxNetwork(graph, tensors),
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
