import { SkiplaneError } from '@skiplane/core';
import { headerBytes } from './header.ts';
import { nodeModule, type NodeWorker } from './node.ts';

/** Control words in memory: generation, byte offset of the first header (0 to end), number of headers. */
const controlWords = 3;

/**
 * The worker's whole life: instantiate, then wait in memory for the next programs, whose headers follow one another. Thread 0
 * leaves a program's last barrier when all have arrived there, so it keeps the time and reports the end.
 */
const workerSource = `
const start = async ({ module, memory, control, thread }, post) => {
  const abort = () => { throw new Error('a wasm kernel aborted'); };
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, abort } });
  const words = new Int32Array(memory.buffer, control, ${controlWords});
  post({ ready: true });
  for (let generation = 0; ; ) {
    // A notify that comes late wakes a thread that has run already.
    while (Atomics.load(words, 0) === generation) Atomics.wait(words, 0, generation);
    generation = Atomics.load(words, 0);
    const first = Atomics.load(words, 1) >>> 0;
    if (first === 0) return;
    const count = Atomics.load(words, 2);
    const times = [];
    for (let i = 0, start = performance.now(); i < count; i++) {
      exports.run(first + i * ${headerBytes}, thread);
      const end = performance.now();
      times.push(end - start);
      start = end;
    }
    if (thread === 0) post({ times });
  }
};
const guarded = (data, post) => start(data, post).catch((error) => post({ error: String(error && error.stack || error) }));
if (typeof require === 'function') {
  const { parentPort, workerData } = require('node:worker_threads');
  guarded(workerData, (message) => parentPort.postMessage(message));
} else {
  self.onmessage = ({ data }) => guarded(data, (message) => self.postMessage(message));
}
`;

interface Message {
  readonly ready?: boolean;
  readonly times?: readonly number[];
  readonly error?: string;
}

interface PoolWorker {
  /** Keeps the process alive, or lets it end; browsers need neither. */
  ref(): void;
  unref(): void;
  terminate(): void;
}

/** The threads of one backend. Programs run one after another; the caller waits for each. */
export class Pool {
  readonly threads: number;
  readonly #workers: PoolWorker[] = [];
  readonly #control: Int32Array;
  #settle: { resolve(times: readonly number[]): void; reject(error: Error): void } | undefined;
  #failure: Error | undefined;

  private constructor(threads: number, control: Int32Array) {
    this.threads = threads;
    this.#control = control;
  }

  /** @param control  byte offset of three zeroed words in the shared memory */
  static async start(
    threads: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    control: number,
  ): Promise<Pool> {
    const pool = new Pool(threads, new Int32Array(memory.buffer, control, controlWords));
    const ready: Promise<void>[] = [];
    for (let thread = 0; thread < threads; thread++) {
      ready.push(
        new Promise((resolve, reject) => {
          const listen = (message: Message): void => {
            if (message.ready === true) resolve();
            else if (message.times !== undefined) pool.#settle?.resolve(message.times);
            else if (message.error !== undefined) pool.#fail(message.error, reject);
          };
          pool.#workers.push(startWorker({ module, memory, control, thread }, listen));
        }),
      );
    }
    try {
      await Promise.all(ready);
    } catch (error) {
      pool.dispose();
      throw error;
    }
    pool.#workers.forEach((worker) => worker.unref());
    return pool;
  }

  /**
   * Runs programs on all threads, one after another, and gives the milliseconds of each.
   * @param first  byte offset of the first header; the others follow it
   * @throws {SkiplaneError} when a kernel trapped; the pool is unusable then
   */
  async run(first: number, count: number): Promise<readonly number[]> {
    if (count === 0) return [];
    if (this.#failure !== undefined) throw this.#failure;
    this.#workers.forEach((worker) => worker.ref());
    try {
      return await new Promise<readonly number[]>((resolve, reject) => {
        this.#settle = { resolve, reject };
        this.#post(first, count);
      });
    } finally {
      this.#settle = undefined;
      this.#workers.forEach((worker) => worker.unref());
    }
  }

  dispose(): void {
    this.#post(0, 0);
    this.#workers.forEach((worker) => worker.terminate());
    this.#workers.length = 0;
    this.#failure ??= new SkiplaneError('DISPOSED', 'the wasm thread pool has been disposed');
    this.#settle?.reject(this.#failure);
  }

  #post(first: number, count: number): void {
    Atomics.store(this.#control, 1, first);
    Atomics.store(this.#control, 2, count);
    Atomics.add(this.#control, 0, 1);
    Atomics.notify(this.#control, 0);
  }

  #fail(message: string, reject: (error: Error) => void): void {
    const error = new SkiplaneError('KERNEL', `a wasm kernel failed: ${message}`);
    this.#failure = error;
    this.#workers.forEach((worker) => worker.terminate());
    reject(error);
    this.#settle?.reject(error);
  }
}

const nothing = (): void => undefined;

function startWorker(data: unknown, listen: (message: Message) => void): PoolWorker {
  const threads = nodeModule('node:worker_threads');
  if (threads !== undefined) {
    const worker: NodeWorker = new threads.Worker(workerSource, { eval: true, workerData: data, execArgv: [] });
    worker.on('message', (message) => listen(message as Message));
    worker.on('error', (error) => listen({ error: error.message }));
    return { ref: () => worker.ref(), unref: () => worker.unref(), terminate: () => void worker.terminate() };
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.addEventListener('message', ({ data: message }: MessageEvent<Message>) => {
    URL.revokeObjectURL(url);
    listen(message);
  });
  worker.addEventListener('error', ({ message }) => listen({ error: message }));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window: there is no origin
  worker.postMessage(data);
  return { ref: nothing, unref: nothing, terminate: () => worker.terminate() };
}
