import { FormatError } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { describe, expect, test } from 'vitest';
import { isLayerGraph, loadModel, predictImages } from '../src/index.ts';
import { onnxTensor } from '../src/formats/onnx-tensor.ts';
import type { NamedTensor } from '../src/checkpoint/safetensors.ts';
import { onnxFile, type OnnxNodeText } from './support/onnx-files.ts';
import { signed } from './support/random.ts';

const size = 4;
const tensor = (name: string, ...shape: number[]): NamedTensor => ({
  shape,
  data: Float32Array.from(
    signed(
      name,
      shape.reduce((count, length) => count * length, 1),
    ),
  ),
});
const list = (...values: number[]): NamedTensor => ({ shape: [values.length], data: Float32Array.from(values) });
const single = (value: number): NamedTensor => ({ shape: [], data: Float32Array.of(value) });
const image = Uint8Array.from(signed('image', size * size * 3), (value) => 128 + 127 * value);

const rows = [0, 1, 2, 3];

/** [channel][row][column] */
const pixels = [0, 1, 2].map((c) => rows.map((y) => rows.map((x) => image[(y * size + x) * 3 + c] as number)));

async function logProbabilities(bytes: Uint8Array): Promise<number[]> {
  const loaded = await loadModel(bytes, { preprocessing: 'unit' });
  using backend = createReferenceBackend();
  const [row = []] = await predictImages({ backend, ...loaded, images: image });
  return row.toSorted((a, b) => a.classIndex - b.classIndex).map(({ probability }) => Math.log(probability));
}

function logSoftmax(logits: readonly number[]): number[] {
  const sum = logits.reduce((total, value) => total + Math.exp(value), 0);
  return logits.map((value) => value - Math.log(sum));
}

const rounded = (values: readonly number[]): string[] => values.map((value) => value.toFixed(4));

describe('ONNX graphs', () => {
  test('a flattened image meets a dense layer channel by channel', async () => {
    const kernel = tensor('kernel', 2, 3 * size * size);
    const bytes = onnxFile(
      [1, 3, size, size],
      [
        { op: 'Flatten', inputs: ['x'], output: 'flat' },
        { op: 'Gemm', inputs: ['flat', 'kernel', 'bias'], output: 'y', attrs: { transB: 1 } },
      ],
      { kernel, bias: list(0.5, -0.5) },
    );
    const features = pixels.flat(2).map((pixel) => pixel / 255);
    const logits = [0.5, -0.5].map((bias, k) =>
      features.reduce((sum, value, i) => sum + value * (kernel.data[k * features.length + i] as number), bias),
    );
    expect(rounded(await logProbabilities(bytes))).toEqual(rounded(logSoftmax(logits)));
  });

  test("He's option A: every other pixel, zeros before and after the channels; constants that scale and shift", async () => {
    const nodes: OnnxNodeText[] = [
      { op: 'Sub', inputs: ['x', 'mean'], output: 'centred' },
      { op: 'Div', inputs: ['centred', 'std'], output: 'scaled' },
      { op: 'Slice', inputs: ['scaled', 'starts', 'ends', 'axes', 'steps'], output: 'taken' },
      // What PyTorch makes of F.pad(x, (0, 0, 0, 0, 1, 2)): pairs from the last axis on, turned round and put side by side.
      { op: 'ConstantOfShape', inputs: ['missing'], output: 'zeros' },
      { op: 'Concat', inputs: ['last first', 'zeros'], output: 'all', attrs: { axis: 0 } },
      { op: 'Reshape', inputs: ['all', 'pairs'], output: 'pairwise' },
      { op: 'Slice', inputs: ['pairwise', 'minus one', 'minus many', 'zero', 'minus one'], output: 'turned' },
      { op: 'Transpose', inputs: ['turned'], output: 'sides', attrs: { perm: [1, 0] } },
      { op: 'Reshape', inputs: ['sides', 'minus one'], output: 'flat' },
      { op: 'Cast', inputs: ['flat'], output: 'pads', attrs: { to: 7 } },
      { op: 'Pad', inputs: ['taken', 'pads'], output: 'padded' },
      { op: 'GlobalAveragePool', inputs: ['padded'], output: 'pooled' },
      { op: 'Flatten', inputs: ['pooled'], output: 'y' },
    ];
    const bytes = onnxFile([1, 3, size, size], nodes, {
      mean: { ...list(0.1, 0.2, 0.3), shape: [3, 1, 1] },
      std: { ...list(0.5, 0.6, 0.7), shape: [1, 3, 1, 1] },
      starts: list(0, 0),
      ends: list(1e9, 1e9),
      axes: list(2, 3),
      steps: list(2, 2),
      missing: list(2),
      'last first': list(0, 0, 0, 0, 1, 2),
      pairs: list(-1, 2),
      'minus one': list(-1),
      'minus many': list(-9e18),
      zero: list(0),
    });
    const means = pixels.map((plane, c) => {
      const taken = [0, 2].flatMap((y) =>
        [0, 2].map((x) => ((plane[y]?.[x] ?? 0) / 255 - 0.1 * (c + 1)) / (0.5 + c / 10)),
      );
      return taken.reduce((sum, value) => sum + value, 0) / 4;
    });
    expect(rounded(await logProbabilities(bytes))).toEqual(rounded(logSoftmax([0, ...means, 0, 0])));
  });

  test('shapes that exporters compute, and an average that counts its padding', async () => {
    const nodes: OnnxNodeText[] = [
      {
        op: 'AveragePool',
        inputs: ['x'],
        output: 'pool',
        attrs: { kernel_shape: [2, 2], strides: [4, 4], pads: [1, 1, 1, 1], count_include_pad: 1 },
      },
      { op: 'Shape', inputs: ['pool'], output: 'shape' },
      { op: 'Gather', inputs: ['shape', 'zero'], output: 'batch', attrs: { axis: 0 } },
      { op: 'Unsqueeze', inputs: ['batch'], output: 'batches', attrs: { axes: [0] } },
      { op: 'Concat', inputs: ['batches', 'rest'], output: 'target', attrs: { axis: 0 } },
      { op: 'Reshape', inputs: ['pool', 'target'], output: 'flat' },
      { op: 'MatMul', inputs: ['flat', 'kernel'], output: 'product' },
      { op: 'Add', inputs: ['product', 'bias'], output: 'sum' },
      { op: 'Softmax', inputs: ['sum'], output: 'y', attrs: { axis: 1 } },
    ];
    const kernel = tensor('kernel', 12, 2);
    const bytes = onnxFile([1, 3, size, size], nodes, {
      zero: { shape: [], data: new Float32Array(1) },
      rest: list(-1),
      kernel,
      bias: list(1, 2),
    });
    const corners = pixels.flatMap((plane) =>
      [plane[0]?.[0], plane[0]?.[3], plane[3]?.[0], plane[3]?.[3]].map((pixel = 0) => pixel / 255 / 4),
    );
    const logits = [1, 2].map((bias, k) =>
      corners.reduce((sum, value, i) => sum + value * (kernel.data[i * 2 + k] as number), bias),
    );
    expect(rounded(await logProbabilities(bytes))).toEqual(rounded(logSoftmax(logits)));
  });

  test('torch.clamp from zero up is a ReLU, a kernel may be turned, and halves may be there as integers', async () => {
    const nodes: OnnxNodeText[] = [
      { op: 'Sub', inputs: ['x', 'half'], output: 'centred' },
      { op: 'Clip', inputs: ['centred', 'zero'], output: 'cut' },
      { op: 'GlobalAveragePool', inputs: ['cut'], output: 'pooled' },
      { op: 'Flatten', inputs: ['pooled'], output: 'flat' },
      { op: 'Transpose', inputs: ['rows'], output: 'kernel', attrs: { perm: [1, 0] } },
      { op: 'MatMul', inputs: ['flat', 'kernel'], output: 'y' },
    ];
    const turned = tensor('rows', 2, 3);
    const bytes = onnxFile([1, 3, size, size], nodes, { half: single(0.5), zero: single(0), rows: turned });
    const means = pixels.map(
      (plane) => plane.flat().reduce((sum, value) => sum + Math.max(value / 255 - 0.5, 0), 0) / 16,
    );
    const logits = [0, 1].map((k) =>
      means.reduce((sum, mean, c) => sum + mean * (turned.data[k * 3 + c] as number), 0),
    );
    expect(rounded(await logProbabilities(bytes))).toEqual(rounded(logSoftmax(logits)));
    // 1 and −2 as binary16.
    const none: Uint8Array[] = [];
    const halves = {
      floatData: none,
      int64Data: none,
      doubleData: none,
      int32Data: [Uint8Array.of(0x80, 0x78, 0x80, 0x80, 0x03)],
      dataLocation: 0,
      externalData: [],
    };
    const read = onnxTensor({ name: 'h', dims: [2], dataType: 10, rawData: new Uint8Array(0), ...halves }).read();
    expect([...read]).toEqual([1, -2]);
  });

  test('an input with its channels last, as TensorFlow exports it', async () => {
    const bytes = onnxFile(
      [1, size, size, 3],
      [
        { op: 'Mul', inputs: ['x', 'half'], output: 'scaled' },
        { op: 'Transpose', inputs: ['scaled'], output: 'planes', attrs: { perm: [0, 3, 1, 2] } },
        {
          op: 'Conv',
          inputs: ['planes', 'filter'],
          output: 'conv',
          attrs: { kernel_shape: [3, 3], auto_pad: 'SAME_UPPER', strides: [2, 2] },
        },
        { op: 'ReduceMean', inputs: ['conv'], output: 'y', attrs: { axes: [2, 3], keepdims: 0 } },
      ],
      { filter: tensor('filter', 5, 3, 3, 3), half: single(0.5) },
    );
    const { model } = await loadModel(bytes, { preprocessing: 'unit' });
    expect(model).toMatchObject({ imageSize: [size, size], channels: 3, classes: 5 });
    expect(isLayerGraph(model) && model.layers[1]).toMatchObject({
      attrs: { padding: { top: 0, bottom: 1, left: 0, right: 1 } },
    });
  });

  test('one error names all nodes that cannot be represented', async () => {
    const bytes = onnxFile(
      [1, 3, size, size],
      [
        { op: 'LeakyRelu', inputs: ['x'], output: 'leaky' },
        { op: 'Conv', inputs: ['leaky', 'filter'], output: 'grouped', attrs: { group: 3 } },
        { op: 'Softmax', inputs: ['grouped'], output: 'early' },
        { op: 'Relu', inputs: ['early'], output: 'y' },
      ],
      { filter: tensor('filter', 3, 1, 1, 1) },
    );
    const loading = loadModel(bytes);
    await expect(loading).rejects.toThrow(FormatError);
    for (const text of [
      "LeakyRelu 'leaky'",
      "Conv 'grouped': group 3",
      "Softmax 'early': a softmax that is not the last node",
    ])
      await expect(loading).rejects.toThrow(text);
  });
});
