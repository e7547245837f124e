import { join } from 'node:path';

/** Paths of what every run's folder holds: the newest weights, those of the best epoch, and the log. */
export function runFiles(folder: string): Readonly<Record<'last' | 'best' | 'events', string>> {
  return {
    last: join(folder, 'last.safetensors'),
    best: join(folder, 'best.safetensors'),
    events: join(folder, 'events.jsonl'),
  };
}
