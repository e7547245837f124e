import type { BinaryRequest, SentBinary } from '../message.ts';
import { fromSent } from '../sent-error.ts';

/** What this file uses of a worker's global scope, for which TypeScript's DOM library has no types. */
interface WorkerScope {
  postMessage(message: BinaryRequest, transfer: Transferable[]): void;
}

/** A binary of the kernels, from the page, which loads it: in a worker without a file there is nothing to import it from. */
export function pageBinary(name: string): Promise<{ readonly deflated: string }> {
  return new Promise((resolve, reject) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', ({ data }: MessageEvent<SentBinary>) => {
      port1.close();
      if ('error' in data) reject(fromSent(data.error));
      else resolve(data);
    });
    port1.start();
    (globalThis as unknown as WorkerScope).postMessage({ binary: name, port: port2 }, [port2]);
  });
}
