import type { TrainerEvent } from '@skiplane/browser';
import { askServer } from './local-server.ts';
import { addRun, afterEvent, updateRun, type Run } from './runs.ts';
import { currentRun } from './session.ts';

/** Asks the server what it has, and follows the run on the command line that is watched there, if one is. */
export async function watchServer(): Promise<void> {
  const { run } = await askServer();
  if (run !== null) follow(run.name, run.events);
}

/** By an event of its log; a run that is resumed goes on in the same one. */
function statusAfter(event: TrainerEvent): Run['status'] {
  if (event.type !== 'checkpoint') return event.type === 'end' ? 'done' : 'running';
  const ends = { end: 'done', interrupt: 'stopped', epoch: 'running', time: 'running' } as const;
  return ends[event.reason];
}

/**
 * Every message is one of the trainer's events as JSON; `again` says that those so far no longer count, and `end` that no more
 * will come. When the connection is lost the browser opens it anew, and the stream begins with the run's first event.
 */
function follow(name: string, address: string): void {
  const stream = new EventSource(address);
  const id = addRun(`${name}, command line`);
  currentRun.value = id;
  const forget = (): void => updateRun(id, (run) => ({ ...run, points: [], last: null, start: null }));
  stream.addEventListener('open', forget);
  stream.addEventListener('again', forget);
  stream.addEventListener('end', () => {
    stream.close();
    // The log may have told already how it ended.
    updateRun(id, (run) => (run.status === 'running' ? { ...run, status: 'done' } : run));
  });
  stream.addEventListener('message', ({ data }) => {
    const event = JSON.parse(data as string) as TrainerEvent;
    updateRun(id, (run) => ({ ...afterEvent(run, event), status: statusAfter(event) }));
  });
}
