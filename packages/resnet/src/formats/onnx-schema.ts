import type { ByteSource } from '../byte-source.ts';
import { fileError } from './model-file.ts';
import { decodeProtobuf } from './protobuf-reader.ts';
import { encodeProtobuf } from './protobuf-writer.ts';
import { message } from './protobuf.ts';

/**
 * The parts of ONNX's schema that networks of known layers need; what is not here is skipped.
 * @source https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

const entry = message({ 1: ['key', 'text'], 2: ['value', 'text'] });

const tensor = message({
  1: ['dims[]', 'int'],
  2: ['dataType', 'int'],
  4: ['floatData[]', 'content'],
  5: ['int32Data[]', 'content'],
  7: ['int64Data[]', 'content'],
  8: ['name', 'text'],
  9: ['rawData', 'content'],
  10: ['doubleData[]', 'content'],
  13: ['externalData[]', entry],
  14: ['dataLocation', 'int'],
});

const attribute = message({
  1: ['name', 'text'],
  2: ['f', 'float'],
  3: ['i', 'int'],
  4: ['s', 'bytes'],
  5: ['t', tensor],
  7: ['floats[]', 'float'],
  8: ['ints[]', 'int'],
  20: ['type', 'int'],
});

const node = message({
  1: ['input[]', 'text'],
  2: ['output[]', 'text'],
  3: ['name', 'text'],
  4: ['opType', 'text'],
  5: ['attribute[]', attribute],
  7: ['domain', 'text'],
});

const dimension = message({ 1: ['dimValue', 'int'], 2: ['dimParam', 'text'] });
const tensorType = message({ 1: ['elemType', 'int'], 2: ['shape', message({ 1: ['dim[]', dimension] })] });
const valueInfo = message({ 1: ['name', 'text'], 2: ['type', message({ 1: ['tensorType', tensorType] })] });

const graph = message({
  1: ['node[]', node],
  2: ['name', 'text'],
  5: ['initializer[]', tensor],
  11: ['input[]', valueInfo],
  12: ['output[]', valueInfo],
});

const model = message({
  1: ['irVersion', 'int'],
  2: ['producerName', 'text'],
  3: ['producerVersion', 'text'],
  6: ['docString', 'text'],
  7: ['graph', graph],
  8: ['opsetImport[]', message({ 1: ['domain', 'text'], 2: ['version', 'int'] })],
  14: ['metadataProps[]', entry],
});

export interface OnnxTensor {
  readonly dims: readonly number[];
  readonly dataType: number;
  /** Numbers in pieces, as they lie in the file: four and eight bytes each, or as many as each needs. */
  readonly floatData: readonly ByteSource[];
  readonly int32Data: readonly ByteSource[];
  readonly int64Data: readonly ByteSource[];
  readonly doubleData: readonly ByteSource[];
  readonly name: string;
  readonly rawData: ByteSource;
  /** 1: in another file, of which `externalData` says which and where. */
  readonly dataLocation: number;
  readonly externalData: readonly { readonly key: string; readonly value: string }[];
}

interface OnnxAttribute {
  readonly name: string;
  readonly f: number;
  readonly i: number;
  readonly s: Uint8Array;
  readonly t: OnnxTensor | null;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
}

export interface OnnxNode {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly opType: string;
  readonly attribute: readonly OnnxAttribute[];
  readonly domain: string;
}

export interface OnnxValueInfo {
  readonly name: string;
  readonly type: {
    readonly tensorType: { readonly shape: { readonly dim: readonly { readonly dimValue: number }[] } | null } | null;
  } | null;
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly docString: string;
  readonly graph: {
    readonly name: string;
    readonly node: readonly OnnxNode[];
    readonly initializer: readonly OnnxTensor[];
    readonly input: readonly OnnxValueInfo[];
    readonly output: readonly OnnxValueInfo[];
  } | null;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[];
}

/** A model to be written. */
export interface OnnxModelText {
  readonly irVersion: number;
  readonly producerName: string;
  readonly opsetImport: OnnxModel['opsetImport'];
  readonly graph: {
    readonly name: string;
    readonly node: (Pick<OnnxNode, 'opType' | 'name' | 'input' | 'output'> & {
      readonly attribute: readonly (Pick<OnnxAttribute, 'name'> & Partial<OnnxAttribute> & { readonly type: number })[];
    })[];
    readonly initializer: (Pick<OnnxTensor, 'name' | 'dims' | 'dataType'> & { readonly rawData: Uint8Array })[];
    readonly input: readonly object[];
    readonly output: readonly object[];
  };
  readonly metadataProps: OnnxModel['metadataProps'];
}

/** A model's message. */
export function encodeOnnx(written: OnnxModelText): Uint8Array {
  return encodeProtobuf(model, written);
}

/** A model's message; tensors stay in the file. @throws {FormatError} when it is damaged */
export function decodeOnnx(source: ByteSource): OnnxModel {
  return decodeProtobuf(model, source, (problem) =>
    fileError('ONNX', `its message is damaged (${problem})`),
  ) as unknown as OnnxModel;
}
