import type { ServerResponse } from 'node:http';
import { followLog } from './follow-log.ts';

/**
 * Sends the log of a run as Server-Sent Events: a message for each line, `again` when the lines so far no longer count, and
 * `end` when the run has ended and no more will come.
 * @param done  aborted when the run has ended
 */
export async function sendEvents(response: ServerResponse, log: string, done: AbortSignal): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store' });
  response.flushHeaders();
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  for await (const change of followLog(log, AbortSignal.any([done, closed.signal]))) {
    if (closed.signal.aborted) return;
    response.write(change.kind === 'line' ? `data: ${change.text}\n\n` : `event: again\ndata:\n\n`);
  }
  response.end('event: end\ndata:\n\n');
}
