import { zipSync } from 'fflate';
import type { NamedTensor } from '../../src/checkpoint/safetensors.ts';

/** Writes a pickle, opcode by opcode, of the few kinds of values that state dictionaries have. */
class PickleWriter {
  readonly #bytes: number[] = [0x80, 2];

  raw(...bytes: readonly number[]): this {
    this.#bytes.push(...bytes);
    return this;
  }

  global(module: string, name: string): this {
    return this.raw(0x63, ...ascii(`${module}\n${name}\n`));
  }

  text(value: string): this {
    const bytes = ascii(value);
    return this.raw(0x58, ...word(bytes.length), ...bytes);
  }

  int(value: number): this {
    return this.raw(0x4a, ...word(value));
  }

  tuple(...values: readonly number[]): this {
    this.raw(0x28);
    for (const value of values) this.int(value);
    return this.raw(0x74);
  }

  end(): Uint8Array {
    return Uint8Array.from([...this.#bytes, 0x2e]);
  }
}

const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];
const word = (value: number): number[] => [...new Uint8Array(Int32Array.of(value).buffer)];

export interface TorchZipOptions {
  /** Called where a tensor's rebuild function is written: `torch._utils`, `_rebuild_tensor_v2`. */
  readonly rebuild?: readonly [module: string, name: string];
  readonly deflate?: boolean;
  /** Keys under which the dictionary lies in another (default: it is all there is). */
  readonly entries?: readonly string[];
}

type Tensors = ReadonlyMap<string, NamedTensor>;

/** A state dictionary; storages have the numbers of their tensors as keys. */
function statePickle(tensors: Tensors, { rebuild, entries = [] }: TorchZipOptions, legacy: boolean): Uint8Array {
  const [module, name] = rebuild ?? ['torch._utils', '_rebuild_tensor_v2'];
  const pickle = new PickleWriter();
  if (entries.length > 0) pickle.raw(0x7d, 0x28);
  for (const entry of entries) dictionary(pickle.text(entry), tensors, [module, name], legacy);
  if (entries.length > 0) return pickle.raw(0x75).end();
  dictionary(pickle, tensors, [module, name], legacy);
  return pickle.end();
}

function dictionary(
  pickle: PickleWriter,
  tensors: Tensors,
  [module, name]: readonly [string, string],
  legacy: boolean,
): void {
  pickle.global('collections', 'OrderedDict').raw(0x29, 0x52, 0x28);
  let key = 0;
  for (const [title, { shape, data }] of tensors) {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((count, size) => count * size, 1));
    pickle.text(title).global(module, name).raw(0x28, 0x28);
    pickle.text('storage').global('torch', 'FloatStorage').text(String(key++)).text('cpu').int(data.length);
    if (legacy) pickle.raw(0x4e);
    pickle
      .raw(0x74, 0x51)
      .int(0)
      .tuple(...shape)
      .tuple(...strides)
      .raw(0x89);
    pickle.global('collections', 'OrderedDict').raw(0x29, 0x52, 0x74, 0x52);
  }
  pickle.raw(0x75);
}

/**
 * A state dictionary as `torch.save` of PyTorch 1.6 and later lays it out: `archive/data.pkl`, a file a storage, `byteorder`.
 * @source https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
 */
export function torchZip(tensors: Tensors, options: TorchZipOptions = {}): Uint8Array {
  const files: Record<string, Uint8Array> = { 'archive/data.pkl': statePickle(tensors, options, false) };
  [...tensors.values()].forEach(({ data }, key) => {
    files[`archive/data/${key}`] = new Uint8Array(data.slice().buffer);
  });
  files['archive/byteorder'] = new TextEncoder().encode('little');
  files['archive/version'] = new TextEncoder().encode('3\n');
  return zipSync(files, { level: options.deflate ? 6 : 0 });
}

/** 0x1950a86a20f9469cfc6c, pickled. */
const magic = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/** A state dictionary as `torch.save` before PyTorch 1.6 lays it out: five pickles, then the storages. */
export function torchLegacy(tensors: Tensors): Uint8Array {
  const keys = new PickleWriter().raw(0x5d, 0x28);
  const storages = [...tensors.values()].flatMap(({ data }, key) => {
    keys.text(String(key));
    return [Uint8Array.from([...word(data.length), 0, 0, 0, 0]), new Uint8Array(data.slice().buffer)];
  });
  return joined([
    Uint8Array.from(magic),
    new PickleWriter().int(1001).end(),
    new PickleWriter().raw(0x7d).end(),
    statePickle(tensors, {}, true),
    keys.raw(0x65).end(),
    ...storages,
  ]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
