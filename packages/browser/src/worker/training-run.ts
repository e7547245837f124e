import { train, type CheckpointEvent, type RunCheckpoint, type TrainOptions, type TrainResult } from '@skiplane/resnet';
import type { SavedEvent, TrainerEvent, TrainerResult } from '../events.ts';
import { EventQueue } from './event-queue.ts';

/**
 * A run of the trainer. It does not wait for the page to take its events; it holds between two steps while it is paused, and
 * lets the worker answer calls after every event.
 */
export class TrainingRun {
  readonly queue = new EventQueue<TrainerEvent>();
  /** Settles when the run has ended and its memory is free; rejects with its error. */
  readonly ended: Promise<TrainerResult>;
  readonly #stopped = new AbortController();
  readonly #keep: (checkpoint: RunCheckpoint) => void;
  /** While it is paused: fulfilled when it may go on. */
  #gate: Promise<void> | undefined;
  #openGate: (() => void) | undefined;
  /** Called when it holds, or has ended. */
  #holds: (() => void)[] = [];
  #finished = false;

  /** @param keep  is given every checkpoint */
  constructor(options: TrainOptions, keep: (checkpoint: RunCheckpoint) => void) {
    this.#keep = keep;
    this.ended = this.#work({ ...options, signal: this.#stopped.signal }).finally(() => {
      this.#finished = true;
      this.#hold();
      this.queue.close();
    });
    // Whoever takes the events gets the error.
    this.ended.catch(() => undefined);
  }

  get finished(): boolean {
    return this.#finished;
  }

  /** Holds the run after its present step; resolves when it stands still, or has ended. */
  pause(): Promise<void> {
    if (this.#finished) return Promise.resolve();
    this.#gate ??= new Promise((resolve) => (this.#openGate = resolve));
    return new Promise((resolve) => this.#holds.push(resolve));
  }

  resume(): void {
    this.#openGate?.();
    this.#gate = undefined;
  }

  /** Ends the run after its present step, with a checkpoint, unless it has ended already. */
  stop(): void {
    this.#stopped.abort();
    this.resume();
  }

  async #work(options: TrainOptions): Promise<TrainerResult> {
    const events = train(options);
    for (;;) {
      const { done, value } = await events.next();
      if (done === true) return withoutCheckpoint(value);
      this.queue.put(value.type === 'checkpoint' ? this.#keepCheckpoint(value) : value);
      await nextTask();
      while (this.#gate !== undefined) {
        this.#hold();
        await this.#gate;
      }
    }
  }

  #keepCheckpoint({ checkpoint, ...event }: CheckpointEvent): SavedEvent {
    this.#keep(checkpoint);
    return event;
  }

  #hold(): void {
    for (const resolve of this.#holds) resolve();
    this.#holds = [];
  }
}

function withoutCheckpoint({ history, best, test, interrupted }: TrainResult): TrainerResult {
  return { history, best, test, interrupted };
}

/** A turn of the event loop: with one thread, training is one chain of microtasks, in which no message gets through. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => {
      port1.close();
      resolve();
    });
    port1.start();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window: there is no origin
    port2.postMessage(null);
  });
}
