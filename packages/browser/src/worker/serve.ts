import type { Answer, Call } from '../message.ts';
import { toSent } from '../sent-error.ts';
import { answer } from './requests/index.ts';
import { WorkerState, type OpenBackend } from './state.ts';
import { transferablesOf } from './transfer.ts';

/** What this file uses of a worker's global scope, for which TypeScript's DOM library has no types. */
interface WorkerScope {
  addEventListener(type: 'message', listener: (event: MessageEvent<Call>) => void): void;
  postMessage(message: Answer, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;

/** The worker's program: answers every call by the table of requests. */
export function serve(openBackend: OpenBackend): void {
  const state = new WorkerState(openBackend);
  scope.addEventListener('message', ({ data }) => void reply(state, data));
}

async function reply(state: WorkerState, { id, name, input }: Call): Promise<void> {
  try {
    const value = await answer(state, name, input);
    scope.postMessage({ id, value }, transferablesOf(value));
  } catch (error) {
    scope.postMessage({ id, error: toSent(error) }, []);
  }
}
