import type { ByteSource } from '../byte-source.ts';
import { PickleGlobal, type PickleRules } from './pickle.ts';
import { checkShape, fileError, type FileTensor } from './model-file.ts';
import { bytesOfElement, toFloat32 } from './numbers.ts';
import { gatherStrided, rowByRowStrides } from './strided.ts';

const format = 'PyTorch';

/** Elements that tensors share, whose bytes are found later by their key. */
export interface TorchStorage {
  readonly key: string;
  readonly dtype: string;
  readonly count: number;
}

/** A tensor as a pickle has it. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }

  /** As a tensor of a file. @throws {FormatError} when it reaches beyond its storage, or has an element twice */
  named(name: string, bytesOf: (storage: TorchStorage) => ByteSource): FileTensor {
    const { storage, offset, shape, strides } = this;
    const count = checkShape(format, name, shape);
    const end = shape.reduce((at, size, axis) => at + (size - 1) * (strides[axis] ?? 0), offset) + 1;
    const fits = whole(offset) && shape.length === strides.length && strides.every(whole);
    if (!fits || (count > 0 && (end > storage.count || count > storage.count))) {
      throw fileError(
        format,
        `tensor '${name}' [${shape.join(',')}] from element ${offset} on does not fit its ${storage.count} elements`,
      );
    }
    const read = (): Float32Array => {
      const size = bytesOfElement(storage.dtype) ?? 0;
      const bytes = bytesOf(storage);
      const values = toFloat32(
        bytes.subarray(offset * size, count === 0 ? offset * size : end * size),
        storage.dtype,
        count === 0 ? 0 : end - offset,
      );
      return isRowByRow(shape, strides) ? values : gatherStrided(values, shape, strides, count);
    };
    return { name, shape, dtype: storage.dtype, read };
  }
}

function whole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function numbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

/** The step of an axis of one element says nothing. */
function isRowByRow(shape: readonly number[], strides: readonly number[]): boolean {
  return rowByRowStrides(shape).every((stride, axis) => shape[axis] === 1 || strides[axis] === stride);
}

const storageTypes: Readonly<Record<string, string>> = {
  'torch.FloatStorage': 'float32',
  'torch.DoubleStorage': 'float64',
  'torch.HalfStorage': 'float16',
  'torch.BFloat16Storage': 'bfloat16',
  'torch.LongStorage': 'int64',
  'torch.IntStorage': 'int32',
  'torch.ShortStorage': 'int16',
  'torch.CharStorage': 'int8',
  'torch.ByteStorage': 'uint8',
  'torch.BoolStorage': 'bool',
};

/** What a PyTorch pickle may name: tensors and what they are made of, ordered dictionaries, shapes. */
export const torchRules: PickleRules = {
  knows: (name) => Object.hasOwn(storageTypes, name) || Object.hasOwn(builders, name),
  call(name, args) {
    const build = Object.hasOwn(builders, name) ? builders[name] : undefined;
    if (build === undefined) throw fileError(format, `its pickle calls '${name}'`);
    return build(args);
  },
  persistent(id) {
    const [kind, type, key, , count] = Array.isArray(id) ? (id as readonly unknown[]) : [];
    const dtype = type instanceof PickleGlobal ? storageTypes[type.name] : undefined;
    if (
      kind !== 'storage' ||
      dtype === undefined ||
      (typeof key !== 'string' && typeof key !== 'number') ||
      typeof count !== 'number'
    ) {
      throw fileError(format, 'its pickle refers to something outside it that is no storage of a tensor');
    }
    if (!Number.isSafeInteger(count) || count < 0) throw fileError(format, `a storage has ${count} elements`);
    return { key: String(key), dtype, count } satisfies TorchStorage;
  },
};

const builders: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  'collections.OrderedDict': dictionary,
  // Of the milestones of a learning rate schedule.
  'collections.Counter': dictionary,
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_parameter': ([tensor]) => tensor,
  'torch.Size': ([sizes]) => sizes,
};

function dictionary([items]: readonly unknown[]): Map<unknown, unknown> {
  if (items instanceof Map) return items;
  return Array.isArray(items) ? new Map(items as (readonly [unknown, unknown])[]) : new Map();
}

function rebuildTensor([storage, offset, shape, strides]: readonly unknown[]): TorchTensor {
  if (!isStorage(storage) || typeof offset !== 'number' || !numbers(shape) || !numbers(strides))
    throw fileError(
      format,
      'its pickle builds a tensor of something else than a storage, an offset, sizes and strides',
    );
  return new TorchTensor(storage, offset, shape, strides);
}

function isStorage(value: unknown): value is TorchStorage {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'key' in value;
}
