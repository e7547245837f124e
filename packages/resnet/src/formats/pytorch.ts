import { FormatError } from '@skiplane/core';
import type { ByteSource } from '../byte-source.ts';
import { ByteReader } from './byte-reader.ts';
import { fileError, type FileTensor, type ModelDirectory } from './model-file.ts';
import { bytesOfElement } from './numbers.ts';
import { Unpickler } from './pickle.ts';
import { TorchTensor, torchRules, type TorchStorage } from './pytorch-tensors.ts';
import { stateDictOutline } from './state-dict.ts';
import type { ZipEntry } from './zip.ts';
import { partOf } from './source-parts.ts';

const format = 'PyTorch';

/** 0x1950a86a20f9469cfc6c as a pickled integer of protocol 2, with which legacy files begin. */
const legacyMagic = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/** @param head  the first bytes of a file */
export function isLegacyPytorch(head: Uint8Array): boolean {
  return legacyMagic.every((byte, index) => head[index] === byte);
}

/**
 * Reads what `torch.save` wrote before PyTorch 1.6: five pickles, then the storages one behind the other.
 * @throws {FormatError} when it is damaged, or more than tensors are in it
 */
export function readLegacyPytorch(source: ByteSource, entry?: string): ModelDirectory {
  const unpickler = new Unpickler(source, torchRules, legacyMagic.length);
  const [protocol, system] = [unpickler.load(), unpickler.load()];
  if (protocol !== 1001) throw fileError(format, `its protocol is ${String(protocol)}, not 1001`);
  if (system instanceof Map && system.get('little_endian') === false)
    throw fileError(format, 'its bytes are in big-endian order');
  const root = unpickler.load();
  const keys = unpickler.load();
  if (!Array.isArray(keys)) throw fileError(format, 'it has no list of storages');
  const storages = new Map<string, number>();
  const file = new ByteReader(source, (problem) => fileError(format, problem));
  const declared = storagesOf(root);
  let at = unpickler.position;
  for (const key of (keys as readonly unknown[]).map(String)) {
    const storage = declared.get(key);
    if (storage === undefined) throw fileError(format, `no tensor has the storage '${key}'`);
    if (storages.has(key)) throw fileError(format, `it lists the storage '${key}' twice`);
    if (at + 8 > file.length)
      throw fileError(format, `it ends at byte ${file.length}, before the storage '${key}': it is truncated`);
    const count = file.big64(at);
    if (count !== BigInt(storage.count))
      throw fileError(format, `storage '${key}' has ${count} elements, but its tensors say ${storage.count}`);
    storages.set(key, at + 8);
    at += 8 + storage.count * (bytesOfElement(storage.dtype) ?? 0);
    if (at > file.length)
      throw fileError(format, `storage '${key}' ends at byte ${at}, but the file has ${file.length}: it is truncated`);
  }
  return torchFile(root, entry, ({ key, count, dtype }) => {
    const from = storages.get(key);
    if (from === undefined) throw fileError(format, `storage '${key}' is not there`);
    return partOf(source, from, count * (bytesOfElement(dtype) ?? 0));
  });
}

/** Whether an archive is one that `torch.save` wrote. */
export function isPytorchZip(entries: ReadonlyMap<string, ZipEntry>): boolean {
  return pickleOf(entries) !== undefined;
}

/** Reads what `torch.save` of PyTorch 1.6 and later wrote: a pickle, and a file a storage. @throws {FormatError} like {@link readLegacyPytorch} */
export function readPytorchZip(entries: ReadonlyMap<string, ZipEntry>, entry?: string): ModelDirectory {
  const pickle = pickleOf(entries);
  if (pickle === undefined) throw fileError(format, "there is no 'data.pkl' in it");
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw fileError(
      format,
      'it holds a TorchScript program',
      'Save the state_dict of the model (torch.save), not a script.',
    );
  }
  const order = entries.get(`${folder}byteorder`)?.read();
  if (order !== undefined && new TextDecoder().decode(order) !== 'little')
    throw fileError(format, 'its bytes are not in little-endian order');
  const root = new Unpickler(pickle.open(), torchRules).load();
  const cache = new Map<string, ByteSource>();
  return torchFile(root, entry, ({ key, count, dtype }) => {
    const stored = entries.get(`${folder}data/${key}`);
    const needed = count * (bytesOfElement(dtype) ?? 0);
    if (stored === undefined) throw fileError(format, `storage '${key}' is not there`);
    if (stored.size < needed)
      throw fileError(format, `storage '${key}' has ${stored.size} bytes, but its tensors need ${needed}`);
    const content = cache.get(key) ?? stored.open();
    cache.set(key, content);
    return content;
  });
}

function pickleOf(entries: ReadonlyMap<string, ZipEntry>): ZipEntry | undefined {
  return [...entries.values()].find(({ name }) => /^(?:[^/]+\/)?data\.pkl$/.test(name));
}

function torchFile(
  root: unknown,
  wanted: string | undefined,
  bytesOf: (storage: TorchStorage) => ByteSource,
): ModelDirectory {
  storagesOf(root);
  const { tensors, path } = stateDict(root, wanted);
  const all = new Map<string, FileTensor>();
  for (const [name, tensor] of tensors) all.set(name, tensor.named(name, bytesOf));
  return {
    format: 'pytorch',
    tensors: all,
    metadata: scalars(root, path),
    outline: () => stateDictOutline([...all.values()]),
  };
}

const maxTensors = 100_000;

/** All storages that tensors anywhere in a value have. @throws {FormatError} when one key is two storages */
function storagesOf(root: unknown): ReadonlyMap<string, TorchStorage> {
  const storages = new Map<string, TorchStorage>();
  const seen = new Set<unknown>();
  const stack = [root];
  while (stack.length > 0) {
    const value = stack.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof TorchTensor) {
      const { storage } = value;
      const before = storages.get(storage.key);
      if (before !== undefined && (before.dtype !== storage.dtype || before.count !== storage.count))
        throw fileError(
          format,
          `storage '${storage.key}' is two: of ${before.count} ${before.dtype} and of ${storage.count} ${storage.dtype}`,
        );
      storages.set(storage.key, storage);
    } else if (value instanceof Map) for (const item of value.values()) stack.push(item);
    else if (Array.isArray(value)) for (const item of value as readonly unknown[]) stack.push(item);
  }
  return storages;
}

/**
 * The dictionary of tensors: the file itself, or one of its entries.
 * @param wanted  which entry, where there are several
 */
function stateDict(
  root: unknown,
  wanted: string | undefined,
): { tensors: ReadonlyMap<string, TorchTensor>; path: string } {
  const whole = wanted === undefined ? tensorsOf(root) : undefined;
  if (whole !== undefined) return { tensors: whole, path: '' };
  const next = "Save { 'state_dict': model.state_dict() }, or the state_dict alone.";
  if (!(root instanceof Map)) throw fileError(format, 'it holds no dictionary of tensors', next);
  const found = [...root].flatMap(([key, value]) => {
    const tensors = tensorsOf(value);
    return tensors === undefined ? [] : [{ path: String(key), tensors }];
  });
  const fitting = wanted === undefined ? found : found.filter(({ path }) => path === wanted);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  const names = found.map(({ path, tensors }) => `'${path}' (${tensors.size} tensors)`).join(', ');
  if (found.length === 0) {
    const keys = [...root.keys()].map(String).slice(0, 10).join(', ');
    throw fileError(format, `it holds no dictionary of tensors (but ${keys})`, next);
  }
  throw new FormatError(
    `this PyTorch file holds ${wanted === undefined ? 'several dictionaries' : `no dictionary '${wanted}'`} of tensors: there are ${names}. ` +
      `Say which one is meant: 'entry' of loadModel, --entry of the command line.`,
    { entries: found.map(({ path }) => path), wanted },
  );
}

/** The tensors of a dictionary, of others inside it, too, with dotted names; undefined when there are none, or something else. */
function tensorsOf(value: unknown): ReadonlyMap<string, TorchTensor> | undefined {
  if (!(value instanceof Map) || value.size === 0 || value.size > maxTensors) return undefined;
  const tensors = new Map<string, TorchTensor>();
  for (const [name, tensor] of value) {
    if (typeof name !== 'string' || !(tensor instanceof TorchTensor)) return undefined;
    tensors.set(name, tensor);
  }
  return tensors;
}

/** Numbers and texts beside the weights, such as the epoch. */
function scalars(root: unknown, path: string): Readonly<Record<string, string>> {
  if (path === '' || !(root instanceof Map)) return {};
  const plain = [...root].filter(([, value]) => ['number', 'string', 'boolean'].includes(typeof value));
  const entry: readonly (readonly [unknown, unknown])[] = path === 'state_dict' ? [] : [['entry', path]];
  return Object.fromEntries(
    [...entry, ...plain].map(([key, value]) => [String(key).slice(0, 200), String(value).slice(0, 2000)]),
  );
}
