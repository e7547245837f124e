import { FormatError } from '@skiplane/core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  decodeCheckpoint,
  decodeSafetensors,
  encodeCheckpoint,
  encodeSafetensors,
  type Checkpoint,
  type NamedTensor,
} from '../src/index.ts';
import { digest } from './support/digest.ts';
import { runAll, tinyModel, tinyOptions } from './support/tiny.ts';

let checkpoint: Checkpoint;
let bytes: Uint8Array;

beforeAll(async () => {
  checkpoint = (await runAll(tinyOptions({ epochs: 1 }))).result.checkpoint;
  bytes = encodeCheckpoint(checkpoint);
});

interface Parts {
  readonly tensors: Map<string, NamedTensor>;
  readonly metadata: Record<string, string>;
}

/** The file with something changed. */
function tampered(change: (parts: Parts) => void): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const parts = { tensors: new Map(tensors), metadata: { ...metadata } };
  change(parts);
  return encodeSafetensors(parts);
}

/** The file with one JSON text of its metadata changed. */
const withJson = (key: string, change: (json: Record<string, unknown>) => void): Uint8Array =>
  tampered(({ metadata }) => {
    const json = JSON.parse(metadata[key] ?? '') as Record<string, unknown>;
    change(json);
    metadata[key] = JSON.stringify(json);
  });

describe('a checkpoint', () => {
  it('comes back as it was', () => {
    expect(decodeCheckpoint(bytes)).toEqual(checkpoint);
    expect(digest(decodeCheckpoint(bytes))).toBe(digest(bytes));
  });

  it('comes back without a training state too', () => {
    const weights: Checkpoint = { ...checkpoint, training: null };
    const small = encodeCheckpoint(weights);
    expect(small.length).toBeLessThan(bytes.length / 2.5);
    expect(decodeCheckpoint(small)).toEqual(weights);
  });

  it('is a plain safetensors file under the names of the graph', () => {
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect(tensors.get('stem/conv/filter')?.shape).toEqual([3, 3, 3, 16]);
    expect(tensors.get('optimizer/m/head/dense/bias')?.shape).toEqual([10]);
    expect(tensors.get('preprocessing/mean')?.shape).toEqual([4, 4, 3]);
    expect(tensors.get('metrics/loss')?.shape).toEqual([]);
    expect(Object.keys(metadata)).toEqual(['classNames', 'format', 'model', 'preprocessing', 'training', 'version']);
    expect(JSON.parse(metadata['model'] ?? '')).toEqual(tinyModel);
  });

  it('holds nothing that depends on the clock', () => {
    const { metadata } = decodeSafetensors(bytes);
    expect(Object.values(metadata).join(' ')).not.toMatch(/second|time|date/i);
  });

  it('is not written when a parameter is missing', () => {
    const parameters = new Map(checkpoint.parameters);
    parameters.delete('stem/bn/gamma');
    expect(() => encodeCheckpoint({ ...checkpoint, parameters })).toThrow(
      "tensor 'stem/bn/gamma' cannot be written: 0 values for the shape [16]",
    );
  });
});

describe('a hostile checkpoint is refused:', () => {
  it.each<[string, () => Uint8Array, string]>([
    ['no checkpoint at all', () => tampered(({ metadata }) => delete metadata['format']), "format ''"],
    [
      'one of a later version',
      () => tampered(({ metadata }) => (metadata['version'] = '3')),
      "its version is '3', but this release reads version 2",
    ],
    ['no model', () => tampered(({ metadata }) => delete metadata['model']), "its metadata 'model' is no JSON text"],
    ['a model that is no object', () => tampered(({ metadata }) => (metadata['model'] = '[]')), "its metadata 'model"],
    ['an unknown family', () => withJson('model', (json) => (json['family'] = 'v3')), "'model.family'"],
    [
      'a name that is another model',
      () => withJson('model', (json) => (json['name'] = 'resnet14v1')),
      "its model 'resnet14v1' says v1 of depth 8",
    ],
    [
      'a depth that no model has',
      () => withJson('model', (json) => Object.assign(json, { name: 'resnet9v1', depth: 9 })),
      'depth should be 6n+2',
    ],
    [
      'a depth beyond all bounds',
      () => withJson('model', (json) => Object.assign(json, { name: 'resnet6000000002v1', depth: 6_000_000_002 })),
      'its model has 6000000002 layers, but the file only',
    ],
    [
      'another image size',
      () => withJson('model', (json) => (json['imageSize'] = [4, 5])),
      "tensor 'preprocessing/mean' is [4,4,3], but the model has [4,5,3]",
    ],
    ['a negative image size', () => withJson('model', (json) => (json['imageSize'] = [-4, 4])), "'model.imageSize.0'"],
    [
      'another number of classes',
      () => withJson('model', (json) => (json['classes'] = 11)),
      'it names 10 classes, but the model has 11',
    ],
    [
      'class names that are numbers',
      () => tampered(({ metadata }) => (metadata['classNames'] = '[1,2,3,4,5,6,7,8,9,10]')),
      "'classNames.0'",
    ],
    [
      'an infinite scale',
      () => tampered(({ metadata }) => (metadata['preprocessing'] = '{"scale":1e999}')),
      "'preprocessing.scale'",
    ],
    [
      'a missing tensor',
      () => tampered(({ tensors }) => tensors.delete('stem/conv/filter')),
      "tensor 'stem/conv/filter' is missing",
    ],
    [
      'a missing moment',
      () => tampered(({ tensors }) => tensors.delete('optimizer/v/stem/conv/filter')),
      "tensor 'optimizer/v/stem/conv/filter' is missing",
    ],
    [
      'a tensor too many',
      () => tampered(({ tensors }) => tensors.set('extra', { shape: [1], data: new Float32Array(1) })),
      "tensor 'extra' does not belong to the model",
    ],
    [
      'a tensor of another shape',
      () => tampered(({ tensors }) => tensors.set('stem/conv/bias', { shape: [4, 4], data: new Float32Array(16) })),
      "tensor 'stem/conv/bias' is [4,4], but the model has [16]",
    ],
    [
      'a NaN',
      () =>
        tampered(({ tensors }) =>
          tensors.set('stem/conv/bias', { shape: [16], data: new Float32Array(16).fill(Number.NaN) }),
        ),
      "tensor 'stem/conv/bias' holds NaN",
    ],
    [
      'training that is no JSON',
      () => tampered(({ metadata }) => (metadata['training'] = '{')),
      "its metadata 'training' is no JSON text",
    ],
    ['a negative step', () => withJson('training', (json) => (json['step'] = -1)), "'training.step'"],
    ['a step that is no whole number', () => withJson('training', (json) => (json['step'] = 1.5)), "'training.step'"],
    [
      'a history that does not fit',
      () => withJson('training', (json) => (json['history'] = [])),
      'it has 1 epochs done, but a history of none',
    ],
    [
      'more epochs than there are',
      () =>
        withJson('training', (json) =>
          Object.assign(json, { settings: { ...(json['settings'] as object), epochs: 0 } }),
        ),
      "'training.settings.epochs'",
    ],
    [
      'a position past the step',
      () => withJson('training', (json) => (json['position'] = 50)),
      'it is at step 50 of an epoch, but at step 3 of all',
    ],
    ['an unknown setting', () => withJson('training', (json) => (json['surprise'] = true)), "'training.surprise'"],
    [
      'a training state without its tensors',
      () => {
        const { tensors } = decodeSafetensors(encodeCheckpoint({ ...checkpoint, training: null }));
        return tampered((parts) => {
          parts.tensors.clear();
          for (const [name, tensor] of tensors) parts.tensors.set(name, tensor);
        });
      },
      "'metrics/loss' is missing",
    ],
  ])('%s', (_what, file, message) => {
    expect(() => decodeCheckpoint(file())).toThrow(FormatError);
    expect(() => decodeCheckpoint(file())).toThrow(message);
  });

  it('with everything that is wrong with its tensors in one error', () => {
    const file = tampered(({ tensors }) => {
      tensors.delete('stem/conv/filter');
      tensors.delete('head/dense/bias');
      tensors.set('extra', { shape: [], data: new Float32Array(1) });
    });
    expect(() => decodeCheckpoint(file)).toThrow(
      /'extra' does not belong.*'stem\/conv\/filter' is missing.*'head\/dense\/bias' is missing/,
    );
  });

  it('wherever a byte of its header is damaged', () => {
    const headerEnd = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    for (let at = 0; at < headerEnd; at += 101) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x15;
      let result: Checkpoint | undefined;
      try {
        result = decodeCheckpoint(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
      // A change within a text, such as a class name or a digit of the history, may be a checkpoint still, but another one.
      if (result !== undefined) expect(digest(result)).not.toBe(digest(bytes));
    }
  });
});
