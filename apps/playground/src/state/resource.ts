import { signal, type ReadonlySignal } from '@preact/signals';

/** Something that is asked of the worker: the newest answer stays while the next is awaited. */
export interface Resource<T> {
  readonly value: ReadonlySignal<T | null>;
  readonly busy: ReadonlySignal<boolean>;
  /** Why the newest question was not answered. */
  readonly problem: ReadonlySignal<string | null>;
  /** Asks anew; while a question is open, once more behind it. */
  refresh(): void;
  /** Forgets the answer. */
  clear(): void;
}

export function resource<T>(ask: () => Promise<T>): Resource<T> {
  const value = signal<T | null>(null);
  const busy = signal(false);
  const problem = signal<string | null>(null);
  let again = false;
  let generation = 0;

  const run = async (): Promise<void> => {
    const own = generation;
    busy.value = true;
    try {
      const answer = await ask();
      if (own === generation) [value.value, problem.value] = [answer, null];
    } catch (error) {
      if (own === generation) problem.value = messageOf(error);
    }
    busy.value = false;
    if (again) {
      again = false;
      void run();
    }
  };

  return {
    value,
    busy,
    problem,
    refresh() {
      if (busy.value) again = true;
      else void run();
    },
    clear() {
      generation++;
      [value.value, problem.value] = [null, null];
    },
  };
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
