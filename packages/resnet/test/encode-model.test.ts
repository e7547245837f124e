import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { noPadding, type Padding2d } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { describe, expect, test } from 'vitest';
import {
  encodeModel,
  initialParameters,
  loadModel,
  modelConfig,
  parameterSpecs,
  predictImages,
  writtenFormats,
  type LayerGraph,
  type LayerNode,
  type LoadedModel,
  type Model,
  type OptimizerSnapshot,
  type Parameters,
  type SavableModel,
  type WrittenFormat,
} from '../src/index.ts';
import { encodeHdf5, hdf5Group } from '../src/formats/hdf5-encoder.ts';
import { openHdf5 } from '../src/formats/hdf5.ts';
import { encodeOnnxModel } from '../src/formats/onnx-writer.ts';
import { loadModel as loadFile } from '../src/node/index.ts';
import { fixturePath } from './support/foreign.ts';
import { signed } from './support/random.ts';
import { runAll, tinyModel, tinyOptions } from './support/tiny.ts';

const shared = fileURLToPath(new URL('../../../../shared/weights/', import.meta.url));

/** Parameters of any values, moving statistics too. */
function drawn(model: Model): Map<string, Float32Array> {
  return new Map(parameterSpecs(model).map(({ name, shape }) => [name, drawnValues(name, shape)]));
}

function drawnValues(name: string, shape: readonly number[]): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from(signed(name, count), (value) => (name.endsWith('variance') ? 1.5 + value : value / 2));
}

const savable = (model: Model, more: Partial<SavableModel> = {}): SavableModel => ({
  model,
  parameters: drawn(model),
  classNames: Array.from({ length: model.classes }, (_, i) => `kind ${i}`),
  preprocessing: null,
  ...more,
});

async function written(model: SavableModel, format: WrittenFormat): Promise<LoadedModel> {
  const { files } = await encodeModel(model, format, 'model.json');
  const [first = new Uint8Array(0)] = files.values();
  return await loadModel(first, { sibling: (name) => Promise.resolve(files.get(name) ?? new Uint8Array(0)) });
}

const bits = (values: Parameters): Record<string, string> =>
  Object.fromEntries([...values].map(([name, data]) => [name, hex(data)]));
const hex = ({ buffer, byteOffset, byteLength }: Float32Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');

async function probabilities({ model, parameters }: Pick<LoadedModel, 'model' | 'parameters'>) {
  using backend = createReferenceBackend();
  const [height, width] = model.imageSize;
  const images = Uint8Array.from(signed('image', height * width * model.channels), (value) => 128 + 127 * value);
  const classNames = Array.from({ length: model.classes }, String);
  const preprocessing = { scale: 1 / 255, mean: new Float32Array(images.length) };
  const [row = []] = await predictImages({
    backend,
    model,
    parameters,
    preprocessing,
    classNames,
    images,
    fold: false,
  });
  return row.toSorted((a, b) => a.classIndex - b.classIndex).map(({ probability }) => probability);
}

const padding = (top: number, bottom: number, left: number, right: number): Padding2d => ({ top, bottom, left, right });

const layer = (name: string, kind: LayerNode['kind'], inputs: readonly string[], attrs: object = {}): LayerNode =>
  ({ name, kind, inputs, attrs }) as LayerNode;

/** A layer of every kind, some of them twice. @param strange  pools that Keras has not */
function allKinds(strange: boolean): LayerGraph {
  const conv = { filters: 3, kernelSize: [3, 2], strides: [1, 1], bias: true };
  const odd = strange ? padding(0, 1, 1, 0) : noPadding;
  const pool = { size: [2, 2], strides: [1, 1] };
  return {
    name: 'all kinds/of layers',
    imageSize: [6, 6],
    channels: 2,
    classes: 4,
    output: 'last',
    layers: [
      layer('a/conv', 'conv2d', ['input'], { ...conv, padding: padding(2, 0, 1, 0) }),
      layer('a/norm', 'batchNorm', ['a/conv'], { epsilon: 1e-4 }),
      layer('a/relu', 'relu', ['a/norm']),
      layer('a.relu', 'maxPool', ['a/relu'], { ...pool, padding: padding(1, 1, 0, 1), strides: [2, 2] }),
      layer('same', 'averagePool', ['a.relu'], { ...pool, padding: padding(0, 1, 0, 1) }),
      layer('shift', 'bias', ['same']),
      layer('odd', 'maxPool', ['shift'], { ...pool, padding: odd }),
      layer('mean', 'averagePool', ['shift'], { ...pool, padding: odd }),
      layer('sum', 'add', ['odd', 'mean', 'odd']),
      layer('zeros', 'pad', ['sum'], { padding: padding(1, 0, 0, 2) }),
      layer('both', 'concat', ['zeros', 'zeros']),
      layer('wide', 'padChannels', ['both'], { before: 1, after: 2 }),
      layer('taken', 'subsample', ['wide'], { strides: [2, 1] }),
      layer('flat', 'flatten', ['taken']),
      layer('whole', 'globalAveragePool', ['taken']),
      layer('whole/flat', 'flatten', ['whole']),
      layer('hidden', 'dense', ['flat'], { units: 4, bias: false }),
      layer('other', 'dense', ['whole/flat'], { units: 4, bias: true }),
      layer('scores', 'add', ['hidden', 'other']),
      layer('last', 'bias', ['scores']),
    ],
  };
}

const models = {
  v1: () => savable(modelConfig('resnet8v1', { imageSize: [8, 8] })),
  v2: () => savable({ ...modelConfig('resnet11v2', { imageSize: [8, 8] }), batchNormEpsilon: 1e-5 }),
  plain: () => savable(modelConfig('plain8', { imageSize: [5, 7], channels: 1, classes: 3 })),
  'all kinds of layers': () => savable(allKinds(false)),
};

async function encodedTexts(format: WrittenFormat): Promise<readonly (readonly [string, string])[]> {
  const { files } = await encodeModel(models.v1(), format, 'a');
  return [...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]);
}

describe.each(writtenFormats)('%s', (format) => {
  test.each(Object.entries(models))('%s comes back: the model, its names, and its bits', async (_, create) => {
    const model = create();
    const back = await written(model, format);
    expect(back).toMatchObject({ format, model: model.model, classNames: model.classNames, preprocessing: null });
    expect(bits(back.parameters)).toEqual(bits(model.parameters));
  });

  test.each(['resnet20-12fca82f.th', 'vnncomp2021-resnet_2b.onnx', 'mlcommons-tiny-pretrainedResnet.h5'])(
    'what others trained comes back: %s',
    async (name) => {
      if (!existsSync(`${shared}${name}`)) return console.log(`skipped: ${shared}${name} is not here`);
      const model = await loadFile(`${shared}${name}`, { preprocessing: 'cifar' });
      const back = await written(model, format);
      expect(back.model).toEqual(model.model);
      expect(bits(back.parameters)).toEqual(bits(model.parameters));
      expect(back.preprocessing).toEqual(model.preprocessing);
    },
  );

  test('the same model gives the same bytes', async () => {
    expect(await encodedTexts(format)).toEqual(await encodedTexts(format));
  });

  test('a mean image comes back to the last bit, scale and standard deviations too', async () => {
    const mean = Float32Array.from(signed('mean', 4 * 4 * 3));
    const std = new Float32Array(mean.length).map((_, i) => [0.1, 0.2, 0.3][i % 3] as number);
    const preprocessing = { scale: 1 / 255, mean, std };
    expect((await written(savable(tinyModel, { preprocessing }), format)).preprocessing).toEqual(preprocessing);
  });

  test('lists parameters that are missing', async () => {
    const { parameters, ...model } = models.v1();
    const fewer = new Map([...parameters].slice(2));
    await expect(encodeModel({ ...model, parameters: fewer }, format, 'x')).rejects.toThrow(
      /'stem\/conv\/filter' \[3,3,3,16\] is missing; 'stem\/conv\/bias'/,
    );
  });
});

describe('what cannot be written', () => {
  test.each(['keras-hdf5', 'keras-zip', 'tfjs-layers'] as const)('%s lists every layer', async (format) => {
    const error: unknown = await encodeModel(savable(allKinds(true)), format, 'x').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'FORMAT',
      message: expect.stringMatching(/maxPool 'odd'.*\n.*averagePool 'mean'/) as string,
    });
  });

  test('is nothing for ONNX, which computes the same without metadata', async () => {
    const model = savable(allKinds(true));
    const plain = await loadModel(encodeOnnxModel(model.model, model.parameters, ''));
    expect(await probabilities(plain)).toEqual(await probabilities(model));
    expect(bits((await written(model, 'onnx')).parameters)).toEqual(bits(model.parameters));
  });
});

describe('metadata', () => {
  const model = models.v1();
  const read = (text: string): Promise<LoadedModel> => loadModel(encodeOnnxModel(model.model, model.parameters, text));
  const said = (changes: object) =>
    JSON.stringify({ model: model.model, classNames: model.classNames, preprocessing: null, ...changes });

  test.each([
    ['of another model', said({ model: modelConfig('resnet14v1', { imageSize: [8, 8] }) })],
    ['of another constant', said({ model: { ...model.model, batchNormEpsilon: 0.5 } })],
    ['of absurd depth', said({ model: { ...model.model, depth: 6e9 + 2, name: 'resnet6000000002v1' } })],
    ['whose name is another', said({ model: { ...model.model, name: 'resnet20v1' } })],
    ['that is no JSON', '{'],
    ['of another form', '{"model":7}'],
  ])('%s is not believed', async (_, text) => {
    const back = await read(text);
    expect(back.model).toMatchObject({ layers: expect.any(Array) as unknown });
    expect(await probabilities(back)).toEqual(await probabilities(model));
  });

  test('names the classes only where it has as many', async () => {
    expect((await read(said({ classNames: ['one'] }))).classNames).not.toEqual(['one']);
  });
});

describe('the state of an optimizer', () => {
  const model = modelConfig('resnet8v1', { imageSize: [4, 4] });
  const slot = (name: string) =>
    new Map(
      [...initialParameters(model, 7)]
        .filter(([parameter]) => !/mean|variance/.test(parameter))
        .map(([parameter, { length }]) => [parameter, Float32Array.from(signed(`${name} ${parameter}`, length))]),
    );
  const adam = { beta1: 0.9, beta2: 0.99, epsilon: 1e-7 };
  const learningRate = Math.fround(3e-4);
  const optimizers: readonly OptimizerSnapshot[] = [
    { settings: { kind: 'adam', ...adam }, step: 12_345, learningRate, state: { m: slot('m'), v: slot('v') } },
    {
      settings: { kind: 'adamW', ...adam, weightDecay: 0.01, excludeFromWeightDecay: [] },
      step: 1,
      learningRate,
      state: { m: slot('m'), v: slot('v') },
    },
    {
      settings: { kind: 'sgd', momentum: 0.9, nesterov: true },
      step: 0,
      learningRate,
      state: { momentum: slot('momentum') },
    },
    { settings: { kind: 'sgd', momentum: 0, nesterov: false }, step: 3, learningRate, state: { momentum: new Map() } },
  ];

  test.each(['keras-hdf5', 'keras-zip'] as const)('comes back out of %s', async (format) => {
    for (const optimizer of optimizers) {
      const back = (await written(savable(model, { optimizer }), format)).optimizer;
      expect(back).toMatchObject({ settings: optimizer.settings, step: optimizer.step, learningRate });
      for (const [name, values] of Object.entries(optimizer.state))
        expect(bits(back?.state[name] ?? new Map())).toEqual(bits(values));
    }
  });

  test('of a run is that of its checkpoint, with the rate of its next step', async () => {
    const { checkpoints } = await runAll(tinyOptions({ epochs: 1, saveSeconds: 0, learningRate: 0.25 }));
    const checkpoint = checkpoints[1];
    if (checkpoint?.training == null) throw new Error('a run writes checkpoints of its training');
    const { step, optimizer } = checkpoint.training;
    const back = (await written(checkpoint, 'keras-hdf5')).optimizer;
    expect(back).toMatchObject({ step, learningRate: 0.25, settings: { kind: 'adam' } });
    expect(bits(back?.state['m'] ?? new Map())).toEqual(bits(optimizer['m'] ?? new Map()));
  });

  test('is left out, and that is said, where Keras would go on differently', async () => {
    const settings = { kind: 'adamW', ...adam, weightDecay: 0.01, excludeFromWeightDecay: ['bias'] } as const;
    const optimizer = { settings, step: 1, learningRate, state: {} };
    const { notes } = await encodeModel(savable(model, { optimizer }), 'keras-zip', 'x');
    expect(notes).toEqual([expect.stringContaining('bias do not decay')]);
    expect((await written(savable(model, { optimizer }), 'keras-zip')).optimizer).toBeNull();
  });
});

describe('HDF5', () => {
  test('cuts lists that fit no attribute, and holds texts of any length', () => {
    const names = Array.from({ length: 4000 }, (_, i) => `a name that is rather long, number ${i}`);
    const long = 'ü'.repeat(100_000);
    const values = new Map([['a/b/c', { shape: [2, 1], data: Float32Array.of(1.5, -2) }]]);
    const file = openHdf5(
      encodeHdf5(
        hdf5Group(
          values,
          new Map<string, string | string[]>([
            ['names', names],
            ['long', long],
          ]),
        ),
      ),
    );
    const parts = [0, 1, 2].flatMap((i) => file.texts('', `names${i}`) ?? []);
    expect(parts).toEqual(names);
    expect(file.text('', 'long')).toBe(long);
    expect(file.tensors.get('a/b/c')).toMatchObject({ shape: [2, 1], dtype: 'float32' });
    expect(file.tensors.get('a/b/c')?.read()).toEqual(Float32Array.of(1.5, -2));
  });

  test('a network of Keras with its scaling keeps it as preprocessing', async () => {
    const small = await loadFile(fixturePath('small.h5'));
    const back = await written(small, 'keras-zip');
    expect(back.preprocessing).toEqual(small.preprocessing);
    expect(await probabilities(back)).toEqual(await probabilities(small));
  });
});
