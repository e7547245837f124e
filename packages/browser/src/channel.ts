import { DisposedError, SkiplaneError, ValueError } from '@skiplane/core';
import { binaries } from './generated/binaries/binaries.ts';
import type { Answer, BinaryRequest, Call, SentBinary } from './message.ts';
import { fromSent, toSent } from './sent-error.ts';
import type { InputOf, RequestName, ResultOf } from './worker/requests/index.ts';

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

const cannotStart =
  "the worker cannot start: if the page has a Content-Security-Policy, it must allow worker-src blob: and script-src 'wasm-unsafe-eval'; " +
  'a browser must know module workers (Chrome 80, Safari 15, Firefox 114)';

/** Programs of workers by the backend that each has, so that a page loads no other. */
const programs = {
  wasm: () => import('./generated/wasm-worker.ts'),
  gpu: () => import('./generated/gpu-worker.ts'),
};

/** The worker, and the calls that it has not answered yet. */
export class Channel {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  #closed: Error | undefined;

  private constructor(workerSource: string) {
    const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
    this.#worker = startWorker(url);
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Answer | BinaryRequest>) => {
      URL.revokeObjectURL(url);
      if ('binary' in data) void sendBinary(data);
      else this.#settle(data);
    });
    this.#worker.addEventListener('error', (event) => {
      URL.revokeObjectURL(url);
      const what = event.message ? `the worker failed: ${event.message}` : cannotStart;
      this.close(new SkiplaneError('WORKER', what));
    });
  }

  /**
   * Starts the worker.
   * @throws {ValueError} when there is no such backend
   * @throws {SkiplaneError} of the code WORKER when its program cannot be loaded
   */
  static async start(backend: keyof typeof programs): Promise<Channel> {
    if (!(backend in programs)) throw new ValueError(`backend must be 'wasm' or 'gpu', but is '${backend}'.`);
    const { workerSource } = await loaded(programs[backend]);
    return new Channel(workerSource);
  }

  /** Asks the worker and waits for its answer. @throws what the worker has thrown, of the same class, code and details */
  call<Name extends RequestName>(name: Name, input: InputOf<Name>): Promise<ResultOf<Name>> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const id = this.#calls++;
    return new Promise<ResultOf<Name>>((resolve, reject) => {
      this.#pending.set(id, { resolve: (value) => resolve(value as ResultOf<Name>), reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window: there is no origin
      this.#worker.postMessage({ id, name, input } satisfies Call);
    });
  }

  /** Ends the worker at once, in the middle of what it does; whoever waits for it gets the error. */
  close(error: Error = new DisposedError('the trainer has been disposed.')): void {
    this.#closed ??= error;
    this.#worker.terminate();
    for (const pending of this.#pending.values()) pending.reject(this.#closed);
    this.#pending.clear();
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ('error' in answer) pending?.reject(fromSent(answer.error));
    else pending?.resolve(answer.value);
  }
}

type Loader = (typeof binaries)[string];

async function loaded<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const what = `a part of the page's scripts cannot be loaded (${(error as Error).message})`;
    throw new SkiplaneError('WORKER', `${what}: serve all that the bundler writes.`, {}, error);
  }
}

/** Gives the worker a binary of the kernels. */
async function sendBinary({ binary, port }: BinaryRequest): Promise<void> {
  const answer = await loaded(binaries[binary] as Loader).then(
    ({ deflated }): SentBinary => ({ deflated }),
    (error: unknown): SentBinary => ({ error: toSent(error) }),
  );
  port.postMessage(answer);
}

/** Where a policy forbids workers, Safari throws at once; others tell the worker's `error` listener. */
function startWorker(url: string): Worker {
  try {
    return new Worker(url, { type: 'module', name: 'skiplane' });
  } catch (error) {
    URL.revokeObjectURL(url);
    throw new SkiplaneError('WORKER', cannotStart, {}, error);
  }
}
