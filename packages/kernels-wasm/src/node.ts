/** Node's own modules, without an import that a bundler for browsers would trip over. */

interface NodeProcess {
  getBuiltinModule?(id: string): unknown;
}

interface V8Module {
  setFlagsFromString(flags: string): void;
}

interface OsModule {
  availableParallelism(): number;
}

export interface NodeWorker {
  on(event: 'message', listener: (message: unknown) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  postMessage(message: unknown): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface WorkerThreadsModule {
  Worker: new (source: string, options: { eval: true; workerData: unknown; execArgv: string[] }) => NodeWorker;
}

interface BufferModule {
  readonly Buffer: { from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer> };
}

interface ZlibModule {
  inflateRawSync(deflated: Uint8Array): Uint8Array<ArrayBuffer>;
}

interface NodeModules {
  'node:v8': V8Module;
  'node:os': OsModule;
  'node:buffer': BufferModule;
  'node:zlib': ZlibModule;
  'node:worker_threads': WorkerThreadsModule;
}

/** A builtin module where this is Node (20.16 and later), else undefined. */
export function nodeModule<Id extends keyof NodeModules>(id: Id): NodeModules[Id] | undefined {
  const { process } = globalThis as { process?: NodeProcess };
  return process?.getBuiltinModule?.(id) as NodeModules[Id] | undefined;
}
