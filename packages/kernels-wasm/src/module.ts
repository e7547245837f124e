import type { Binary } from './features.ts';
import { binaries } from './generated/binaries.ts';
import { kernelSets } from './generated/records.ts';
import type { KernelSet } from './lower/index.ts';
import { nodeModule } from './node.ts';

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** The compiled module of a binary; compiled once a process. */
export function loadModule(binary: string, threads: boolean): Promise<WebAssembly.Module> {
  const name = threads ? `${binary}-threads` : binary;
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const module = compileBinary(name);
  compiled.set(name, module);
  return module;
}

async function compileBinary(name: string): Promise<WebAssembly.Module> {
  const load = binaries[name];
  if (load === undefined) throw new RangeError(`there is no binary '${name}'`);
  const { deflated } = await load();
  const bytes = bytesOf(deflated);
  // The bundle for Node has it as it is.
  return WebAssembly.compile(isModule(bytes) ? bytes : await inflate(bytes));
}

const isModule = ({ buffer, byteOffset }: Uint8Array): boolean =>
  new DataView(buffer, byteOffset).getUint32(0) === 0x00_61_73_6d;

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const buffer = nodeModule('node:buffer');
  if (buffer !== undefined) return buffer.Buffer.from(base64, 'base64');
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

async function inflate(deflated: Uint8Array<ArrayBuffer>): Promise<BufferSource> {
  // Node has to load its streams and its fetch first, which takes longer than all the rest of opening a backend.
  const zlib = nodeModule('node:zlib');
  if (zlib !== undefined) return zlib.inflateRawSync(deflated);
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).arrayBuffer();
}

/** What a binary exports. */
export interface Exports {
  /** Runs the program whose header is at a byte offset. */
  run(program: number, thread: number): void;
  /** Has `execute` of modules whose kernels are added, each in the place of its set. */
  readonly table: WebAssembly.Table;
}

const abort = (): never => {
  throw new Error('a wasm kernel aborted');
};

const importsOf = (memory: WebAssembly.Memory): WebAssembly.Imports => ({ env: { memory, abort } });

export async function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<Exports> {
  const instance = await WebAssembly.instantiate(module, importsOf(memory));
  return instance.exports as unknown as Exports;
}

/** The compiled module of a set of kernels. Those of int8 nets need no relaxed SIMD. */
export const loadKernels = (set: KernelSet, binary: Binary, threads: boolean): Promise<WebAssembly.Module> =>
  loadModule(set === 'training' ? `training-${binary}` : set, threads);

/** Where a set's `execute` is in the table: the upper bits of its opcodes. */
export const placeOf = (set: KernelSet): number => kernelSets.indexOf(set);

/** Lets programs name the kernels of another module, too. */
export async function addKernels(
  { table }: Exports,
  module: WebAssembly.Module,
  place: number,
  memory: WebAssembly.Memory,
): Promise<void> {
  const { exports } = await WebAssembly.instantiate(module, importsOf(memory));
  table.grow(Math.max(0, place + 1 - table.length));
  table.set(place, exports['execute']);
}
