import { join } from 'node:path';

/** Paths of what every run's folder holds: the newest weights, those of the best epoch, the log, and the lock while a process trains. */
export function runFiles(folder: string): Readonly<Record<'last' | 'best' | 'events' | 'lock', string>> {
  return {
    last: join(folder, 'last.safetensors'),
    best: join(folder, 'best.safetensors'),
    events: join(folder, 'events.jsonl'),
    lock: join(folder, 'run.lock'),
  };
}
