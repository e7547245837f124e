import { SkiplaneError } from '@skiplane/core';
import { headerBytes } from './header.ts';
import { nodeModule, type NodeWorker } from './node.ts';

/**
 * Control words in memory: generation, byte offset of the first header (or one of the two below), number of headers (or the place
 * in the table of the kernels that are added).
 */
const controlWords = 3;
const toEnd = 0;
const toAddKernels = 1;

/**
 * The worker's whole life: instantiate, then wait in memory for the next programs, whose headers follow one another. Thread 0
 * leaves a program's last barrier when all have arrived there, so it keeps the time and reports the end.
 */
const workerSource = `
const start = async ({ module, memory, control, thread }, post, receive) => {
  const abort = () => { throw new Error('a wasm kernel aborted'); };
  const imports = { env: { memory, abort } };
  const { exports } = await WebAssembly.instantiate(module, imports);
  const words = new Int32Array(memory.buffer, control, ${controlWords});
  post({ ready: true });
  for (let generation = 0; ; ) {
    // A notify that comes late wakes a thread that has run already.
    while (Atomics.load(words, 0) === generation) Atomics.wait(words, 0, generation);
    generation = Atomics.load(words, 0);
    const first = Atomics.load(words, 1) >>> 0;
    if (first === ${toEnd}) return;
    const count = Atomics.load(words, 2);
    if (first === ${toAddKernels}) {
      const added = new WebAssembly.Instance(await receive(), imports);
      exports.table.grow(Math.max(0, count + 1 - exports.table.length));
      exports.table.set(count, added.exports.execute);
      post({ ready: true });
      continue;
    }
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
const guarded = (data, post, receive) =>
  start(data, post, receive).catch((error) => post({ error: String(error && error.stack || error) }));
if (typeof require === 'function') {
  const { parentPort, workerData } = require('node:worker_threads');
  const receive = () => new Promise((resolve) => parentPort.once('message', resolve));
  guarded(workerData, (message) => parentPort.postMessage(message), receive);
} else {
  const receive = () => new Promise((resolve) => { self.onmessage = ({ data }) => resolve(data); });
  receive().then((data) => guarded(data, (message) => self.postMessage(message), receive));
}
`;

interface Message {
  readonly ready?: boolean;
  readonly times?: readonly number[];
  readonly error?: string;
}

interface PoolWorker {
  post(message: unknown): void;
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
  /** When all workers have said that they are ready. */
  #started: Promise<void> = Promise.resolve();
  /** Workers that are not ready yet. */
  #missing = 0;
  #settle: { resolve(times: readonly number[]): void; reject(error: Error): void } | undefined;
  #failure: Error | undefined;

  private constructor(threads: number, control: Int32Array) {
    this.threads = threads;
    this.#control = control;
  }

  /**
   * In Node, threads start while the caller goes on, and the first run waits for them. A page may forbid them, which shows when
   * they have started.
   * @param control  byte offset of three zeroed words in the shared memory
   */
  static async start(
    threads: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    control: number,
  ): Promise<Pool> {
    const pool = new Pool(threads, new Int32Array(memory.buffer, control, controlWords));
    try {
      pool.#started = pool.#everyone(nothing);
      pool.#started.catch(nothing);
      for (let thread = 0; thread < threads; thread++)
        pool.#workers.push(startWorker({ module, memory, control, thread }, pool.#listen));
      if (nodeModule('node:worker_threads') === undefined) await pool.#started;
    } catch (error) {
      pool.dispose();
      throw error;
    }
    return pool;
  }

  /**
   * Runs programs on all threads, one after another, and gives the milliseconds of each.
   * @param first  byte offset of the first header; the others follow it
   * @throws {SkiplaneError} when a kernel trapped, or a thread cannot start; the pool is unusable then
   */
  async run(first: number, count: number): Promise<readonly number[]> {
    if (count === 0) return [];
    await this.#started;
    return await this.#answer(() => this.#post(first, count));
  }

  /** Lets programs name the kernels of another module, too, while none runs. @throws {SkiplaneError} as {@link run} */
  async addKernels(module: WebAssembly.Module, place: number): Promise<void> {
    await this.#started;
    await this.#everyone(() => {
      this.#workers.forEach((worker) => worker.post(module));
      this.#post(toAddKernels, place);
    });
  }

  dispose(): void {
    this.#post(toEnd, 0);
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

  /** Asks all workers, and waits until each has said that it is ready. */
  async #everyone(ask: () => void): Promise<void> {
    this.#missing = this.threads;
    await this.#answer(ask);
  }

  async #answer(ask: () => void): Promise<readonly number[]> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#workers.forEach((worker) => worker.ref());
    try {
      return await new Promise<readonly number[]>((resolve, reject) => {
        this.#settle = { resolve, reject };
        ask();
      });
    } finally {
      this.#settle = undefined;
      this.#workers.forEach((worker) => worker.unref());
    }
  }

  readonly #listen = ({ ready, times, error }: Message): void => {
    if (ready === true && --this.#missing === 0) this.#settle?.resolve([]);
    else if (times !== undefined) this.#settle?.resolve(times);
    else if (error !== undefined) this.#fail(error);
  };

  #fail(message: string): void {
    this.#failure = new SkiplaneError('KERNEL', `a wasm kernel failed: ${message}`);
    this.#workers.forEach((worker) => worker.terminate());
    this.#settle?.reject(this.#failure);
  }
}

const nothing = (): void => undefined;

function startWorker(data: unknown, listen: (message: Message) => void): PoolWorker {
  const threads = nodeModule('node:worker_threads');
  if (threads !== undefined) {
    const worker: NodeWorker = new threads.Worker(workerSource, { eval: true, workerData: data, execArgv: [] });
    worker.on('message', (message) => listen(message as Message));
    worker.on('error', (error) => listen({ error: error.message }));
    return {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window: there is no origin
      post: (message) => worker.postMessage(message),
      ref: () => worker.ref(),
      unref: () => worker.unref(),
      terminate: () => void worker.terminate(),
    };
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.addEventListener('message', ({ data: message }: MessageEvent<Message>) => {
    URL.revokeObjectURL(url);
    listen(message);
  });
  worker.addEventListener('error', ({ message }) => listen({ error: message }));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window: there is no origin
  const post = (message: unknown): void => worker.postMessage(message);
  post(data);
  return { post, ref: nothing, unref: nothing, terminate: () => worker.terminate() };
}
