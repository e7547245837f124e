import { GraphBuilder, OutOfMemoryError, ValueError, type Backend } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { describe, expect, it } from 'vitest';
import {
  createPreprocessing,
  decodeCheckpoint,
  DeviceImages,
  encodeCheckpoint,
  epochOrder,
  HostImages,
  kerasAugmentation,
  syntheticDataset,
  type Augmentation,
  type BatchSource,
  type InterpolationOrder,
} from '../src/index.ts';
import { digest } from './support/digest.ts';
import { roundingBackend } from './support/rounding-backend.ts';
import { runAll, tinyOptions, tinyOptionsByRecipe, tinySteps } from './support/tiny.ts';

const data = syntheticDataset({ count: 20, seed: 4, split: 'train', size: 16 });
const preprocessing = createPreprocessing(data);
const order = epochOrder(3, 0, data.count);
const batch = 6;

/** The pixels of a batch, by the path of a source. */
async function pixels(source: BatchSource, augmentation: Augmentation | null): Promise<Float32Array> {
  const transform = augmentation?.kind === 'shift' ? { interpolationOrder: augmentation.interpolationOrder } : null;
  const prepared = source.batch(batch, transform);
  prepared.prepare(order, 5, batch, augmentation);
  const { buffers } = prepared;
  if ('images' in buffers) return buffers.images;
  const gathered = source.images(transform);
  if (gathered === undefined) throw new Error('the source has no images to gather');
  const backend = owner;
  const build = new GraphBuilder('batch');
  const inputs = new Map(source.tensors);
  inputs.set('indices', backend.tensor({ shape: [batch], dtype: 'i32' }, buffers.indices));
  if (buffers.transforms !== null)
    inputs.set('transforms', backend.tensor({ shape: [batch, 7], dtype: 'f32' }, buffers.transforms));
  const operands = [...inputs].map(([name, spec]) => build.input(name, spec));
  const { transformed, interpolationOrder } = gathered;
  const x = build.op('gatherImages', operands, { transformed, interpolationOrder });
  build.output('x', x);
  const output = backend.tensor(build.spec(x));
  using program = await backend.compile(build.build(), new Map([...inputs, ['x', output]]));
  await program.run();
  return (await output.read()) as Float32Array;
}

const owner = createReferenceBackend();
const host = new HostImages(data, preprocessing);
const device = new DeviceImages(owner, data, preprocessing);
const augmentation = (interpolationOrder: InterpolationOrder): Augmentation => ({
  ...kerasAugmentation,
  interpolationOrder,
  seed: 3,
  epoch: 2,
});

describe('images on the device', () => {
  it('have the pixels of the host, to the bit where none lies between pixels', async () => {
    expect(await pixels(device, null)).toEqual(await pixels(host, null));
    expect(await pixels(device, augmentation(0))).toEqual(await pixels(host, augmentation(0)));
  });

  it('have the pixels of the host but for the rounding of what is shifted, between pixels', async () => {
    const [there, here] = [await pixels(device, augmentation(1)), await pixels(host, augmentation(1))];
    const largest = there.reduce((most, value, i) => Math.max(most, Math.abs(value - (here[i] ?? Number.NaN))), 0);
    expect(largest).toBeLessThanOrEqual(2 ** -24);
    expect(new Set(there).size).toBeGreaterThan(1000);
  });

  it('take labels with them, and nothing of what is beyond the batch', () => {
    for (const source of [host, device]) {
      const prepared = source.batch(4, { interpolationOrder: 1 });
      prepared.prepare(null, 0, 4, augmentation(1));
      prepared.prepare(null, 18, 2, augmentation(1));
      const { labels } = prepared.buffers;
      const classes = [0, 1, 2, 3].map((i) => labels.subarray(i * 10, (i + 1) * 10).indexOf(1));
      expect(classes).toEqual([8, 9, -1, -1]);
      if (!('indices' in prepared.buffers)) continue;
      expect([...prepared.buffers.indices]).toEqual([18, 19, 0, 0]);
      expect(prepared.buffers.transforms?.subarray(14).every((value) => value === 0)).toBe(true);
    }
  });

  it('are mirrored as on the host, and the programs without transforms refuse it', async () => {
    const transform = { interpolationOrder: 0 } as const;
    const prepared = device.batch(2, transform);
    prepared.prepare(null, 4, 2, { kind: 'mirror' });
    if (!('indices' in prepared.buffers)) throw new Error('the batch is not gathered');
    expect([...(prepared.buffers.transforms ?? [])]).toEqual([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
    expect(() => device.batch(2, null).prepare(null, 0, 2, { kind: 'mirror' })).toThrow(
      /cannot have 'mirror' in a batch without transforms/,
    );
    const crop = { kind: 'crop', padding: 4, flip: true, cutout: 0, seed: 1, epoch: 0 } as const;
    expect(() => device.batch(2, transform).prepare(null, 0, 2, crop)).toThrow(/cannot have augmentation 'crop'/);
  });

  it('refuse a mean image of another size', () => {
    expect(() => new DeviceImages(owner, data, { scale: 1, mean: new Float32Array(10) })).toThrow(
      /mean image has 10 values, an image of the data set 768/,
    );
  });

  it('say what to do where they do not fit', () => {
    const full: Backend = {
      ...roundingBackend(),
      tensor: () => {
        throw new OutOfMemoryError('one buffer holds 1,000 bytes.', { limit: 1000 });
      },
    };
    const open = () => new DeviceImages(full, data, preprocessing);
    expect(open).toThrow(OutOfMemoryError);
    expect(open).toThrow(
      "the 20 images of 'synthetic train' do not fit on the device 'float64 loops': they need 15,360 bytes in one piece. " +
        "Keep them on the host (imagesOn: 'host', or --data-on host), or use fewer. The device says: one buffer holds 1,000 bytes.",
    );
  });
});

describe('training with images on the device', () => {
  it('follows that with images on the host, and frees all', async () => {
    for (const interpolationOrder of [0, 1] as const) {
      const there = roundingBackend();
      const options = {
        epochs: 1,
        recipe: { extends: 'keras', augmentation: { ...kerasAugmentation, interpolationOrder } },
      } as const;
      const onDevice = await runAll(tinyOptions({ ...options, imagesOn: 'device' }, there));
      const onHost = await runAll(tinyOptions(options));
      expect(onDevice.events[0]).toMatchObject({ type: 'start', imagesOn: 'device' });
      expect(onDevice.result.history[0]?.loss).toBeCloseTo(onHost.result.history[0]?.loss ?? 0, 4);
      expect(onDevice.result.history[0]?.valLoss).toBeCloseTo(onHost.result.history[0]?.valLoss ?? 0, 3);
      expect(there.liveTensors()).toBe(0);
    }
  }, 60_000);

  it('goes on from any checkpoint to the same bits, and only with images on the device', async () => {
    const changes = { epochs: 1, imagesOn: 'device' } as const;
    const whole = await runAll(tinyOptions({ ...changes, saveSeconds: 0 }));
    expect(whole.checkpoints).toHaveLength(tinySteps + 1);
    for (const saved of whole.checkpoints.slice(0, 2)) {
      const checkpoint = decodeCheckpoint(encodeCheckpoint(saved));
      const { result } = await runAll(tinyOptions({ ...changes, checkpoint }));
      expect(digest(result.checkpoint)).toBe(digest(whole.result.checkpoint));
      const moved = runAll(tinyOptions({ epochs: 1, checkpoint }));
      await expect(moved).rejects.toThrow(/where the images are \(imagesOn\) is host, but was device/);
    }
  }, 60_000);

  it('cannot be cropped, and says so before anything runs', async () => {
    const there = roundingBackend();
    const recipe = { extends: 'modern', epochs: 1 } as const;
    const wrong = runAll(tinyOptionsByRecipe(recipe, { backend: there, imagesOn: 'device' }));
    await expect(wrong).rejects.toThrow(ValueError);
    await expect(wrong).rejects.toThrow(
      "imagesOn is 'device', but the recipe 'modern' has augmentation 'crop', and a device can only shift and flip images",
    );
    expect(there.liveTensors()).toBe(0);
  });

  it('gives the test images, too, and frees all', async () => {
    const there = roundingBackend();
    const recipe = { extends: 'keras', epochs: 1, batchSize: 4, validation: { kind: 'holdout', size: 3 } } as const;
    const onDevice = await runAll(tinyOptionsByRecipe(recipe, { backend: there, imagesOn: 'device' }));
    const onHost = await runAll(tinyOptionsByRecipe(recipe));
    expect(onDevice.result.test?.count).toBe(onHost.result.test?.count);
    expect(onDevice.result.test?.loss).toBeCloseTo(onHost.result.test?.loss ?? 0, 3);
    expect(there.liveTensors()).toBe(0);
  }, 60_000);

  it('may not be asked for by another name', async () => {
    const wrong = runAll(tinyOptions({ imagesOn: 'gpu' as 'host' }));
    await expect(wrong).rejects.toThrow(ValueError);
    await expect(wrong).rejects.toThrow("imagesOn is 'gpu', but must be 'host' or 'device'");
  });
});

it('a checkpoint that says nothing of where the images were had them on the host', async () => {
  const { result } = await runAll(tinyOptions({ epochs: 1 }));
  const { training } = result.checkpoint;
  if (training === null) throw new Error('the checkpoint has no training state');
  const { imagesOn, ...settings } = training.settings;
  expect(imagesOn).toBe('host');
  const older = { ...result.checkpoint, training: { ...training, settings: settings as typeof training.settings } };
  expect(decodeCheckpoint(encodeCheckpoint(older)).training?.settings.imagesOn).toBe('host');
}, 60_000);
