import { elementCount, GraphBuilder, type Backend, type Tensor } from '@skiplane/core';
import { createGpuBackend } from '@skiplane/kernels-gpu';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import {
  batchBuffers,
  BatchPreparer,
  createPreprocessing,
  DeviceImages,
  encodeCheckpoint,
  epochOrder,
  kerasAugmentation,
  modelConfig,
  syntheticDataset,
  train,
  type Augmentation,
  type RunCheckpoint,
  type ImagesOn,
  type InterpolationOrder,
} from '@skiplane/resnet';
import { describe, expect, test } from 'vitest';
import { chooseImagesOn } from '../src/train/images-on.ts';
import { missingGpu } from './gpu.ts';

const data = syntheticDataset({ count: 300, seed: 4, split: 'train' });
const preprocessing = createPreprocessing(data);
const batch = 250;
const noGpu = await missingGpu();

/** A batch's pixels as the host prepares them. */
function onHost(augmentation: Augmentation | null): Float32Array {
  const buffers = batchBuffers(data, batch);
  const order = epochOrder(1, 0, data.count);
  new BatchPreparer(data, preprocessing).prepare(order, 20, batch, buffers, augmentation);
  return buffers.images;
}

/** The same batch gathered on a device. */
async function onDevice(backend: Backend, augmentation: Augmentation | null): Promise<Float32Array> {
  using source = new DeviceImages(backend, data, preprocessing);
  const transform = augmentation?.kind === 'shift' ? { interpolationOrder: augmentation.interpolationOrder } : null;
  const prepared = source.batch(batch, transform);
  prepared.prepare(epochOrder(1, 0, data.count), 20, batch, augmentation);
  if (!('indices' in prepared.buffers)) throw new Error('the batch is not gathered');
  const { indices, transforms } = prepared.buffers;
  const tensors = new Map<string, Tensor>(source.tensors);
  tensors.set('indices', backend.tensor({ shape: [batch], dtype: 'i32' }, indices));
  if (transforms !== null) tensors.set('transforms', backend.tensor({ shape: [batch, 7], dtype: 'f32' }, transforms));
  const build = new GraphBuilder('batch');
  const operands = [...tensors].map(([name, spec]) => build.input(name, spec));
  const { transformed, interpolationOrder } = source.images(transform);
  const x = build.op('gatherImages', operands, { transformed, interpolationOrder });
  build.output('x', x);
  tensors.set('x', backend.tensor(build.spec(x)));
  using program = await backend.compile(build.build(), tensors);
  await program.run();
  return (await tensors.get('x')?.read()) as Float32Array;
}

/** null: the images as they are. */
const orders: readonly (InterpolationOrder | null)[] = [null, 0, 1];
const augmentationOf = (interpolationOrder: InterpolationOrder | null, epoch: number): Augmentation | null =>
  interpolationOrder === null ? null : { ...kerasAugmentation, interpolationOrder, seed: 1, epoch };

describe('the pixels of a batch', () => {
  test.each([
    { binary: 'simd', threads: 1 },
    { binary: 'relaxed-simd', threads: 2 },
  ] as const)('are those of the host, to the bit, on wasm $binary', async (options) => {
    using backend = await createWasmBackend(options);
    for (const order of orders) {
      for (const epoch of [0, 1]) {
        const augmentation = augmentationOf(order, epoch);
        const actual = await onDevice(backend, augmentation);
        const expected = onHost(augmentation);
        expect(
          expected.findIndex((value, i) => !Object.is(value, actual[i])),
          `order ${order}, epoch ${epoch}`,
        ).toBe(-1);
      }
    }
  });

  test('are those of the host on a gpu: to the bit, or within 3e-7 where linear between pixels', async (context) => {
    context.skip(noGpu !== undefined, noGpu);
    using backend = await createGpuBackend({ software: 'swiftshader' });
    for (const order of orders) {
      for (const epoch of [0, 1]) {
        const augmentation = augmentationOf(order, epoch);
        const actual = await onDevice(backend, augmentation);
        const expected = onHost(augmentation);
        const largest = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (actual[i] as number))), 0);
        console.log(`swiftshader, order ${order}, epoch ${epoch}: largest difference ${largest}`);
        expect(actual).toHaveLength(elementCount([batch, 32, 32, 3]));
        expect(largest).toBeLessThanOrEqual(order === 1 ? 3e-7 : 0);
      }
    }
  }, 60_000);
});

const small = (split: 'train' | 'test', count: number) => syntheticDataset({ count, seed: 3, split, size: 8 });

/** The last checkpoint of a run over `count` small images. */
async function trained(backend: Backend, imagesOn: ImagesOn, count: number, epochs: number): Promise<RunCheckpoint> {
  const model = modelConfig('resnet8v1', { imageSize: [8, 8] });
  const images = { train: small('train', count), validation: small('test', count / 2) };
  const options = { epochs, batchSize: 8, seed: 1, learningRate: 1e-3, augment: true, imagesOn };
  let last: RunCheckpoint | undefined;
  for await (const event of train({ backend, model, ...images, ...options })) {
    if (event.type === 'checkpoint') last = event.checkpoint;
  }
  if (last === undefined) throw new Error('training gave no checkpoint');
  return last;
}

/** The bytes of a checkpoint, as if its images had been on the host. */
function bytesBut({ training, ...rest }: RunCheckpoint): Uint8Array {
  const settings = { ...training.settings, imagesOn: 'host' } as const;
  return encodeCheckpoint({ ...rest, training: { ...training, settings } });
}

test('training on wasm gives the same bytes wherever the images are, but for the setting itself', async () => {
  using backend = await createWasmBackend({ threads: 2 });
  const [host, device] = [await trained(backend, 'host', 60, 2), await trained(backend, 'device', 60, 2)];
  expect(device.training?.settings.imagesOn).toBe('device');
  expect(Buffer.compare(bytesBut(host), bytesBut(device))).toBe(0);
}, 60_000);

const fakeBackend = (name: string, maxStorageBufferBindingSize: number) => ({
  name,
  info: { device: name, threads: 1, features: [], limits: { maxStorageBufferBindingSize }, downgrades: [] },
});

test('images go to a gpu where they fit and are not cropped, and stay on the host otherwise', () => {
  const bytes = data.images.length;
  expect(chooseImagesOn(fakeBackend('wasm', 2 ** 32), [data], kerasAugmentation)).toBe('host');
  expect(chooseImagesOn(fakeBackend('gpu', 2 * bytes), [data], kerasAugmentation)).toBe('device');
  expect(chooseImagesOn(fakeBackend('gpu', bytes), [data], kerasAugmentation)).toBe('host');
  const crop = { kind: 'crop', padding: 4, flip: true, cutout: 0 } as const;
  expect(chooseImagesOn(fakeBackend('gpu', 2 * bytes), [data], crop)).toBe('host');
});
