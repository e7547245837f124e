import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** How the server of a test behaves; may be changed between requests. */
export interface Behaviour {
  bytes: Uint8Array;
  etag?: string;
  /** Cuts the connection after so many bytes of the body, this many times. */
  cutAfter?: number;
  cuts?: number;
  ignoreRange?: boolean;
  /** Serves ranges, but takes no notice of If-Range. */
  ignoreIfRange?: boolean;
  status?: number;
  redirectTo?: string;
  encoding?: string;
  /** Waits between two pieces of the body, so that a client can be stopped half-way. */
  slowly?: boolean;
}

export interface FileServer {
  readonly url: string;
  readonly behaviour: Behaviour;
  /** The Range header of every request so far, or an empty text. */
  readonly ranges: string[];
  close(): Promise<void>;
}

/** A file server on the loopback interface. */
export async function serveFile(behaviour: Behaviour): Promise<FileServer> {
  const ranges: string[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range ?? '');
    answer(request, response, behaviour);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/archive.tar.gz`,
    behaviour,
    ranges,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, behaviour: Behaviour): void {
  const { bytes, etag, status, redirectTo, encoding } = behaviour;
  if (status !== undefined) return void response.writeHead(status).end('no');
  if (redirectTo !== undefined && request.url === '/archive.tar.gz') {
    return void response.writeHead(302, { location: redirectTo }).end();
  }
  if (etag !== undefined) response.setHeader('etag', etag);
  if (encoding !== undefined) response.setHeader('content-encoding', encoding);
  const start = rangeStart(request, behaviour);
  if (start !== undefined && start >= bytes.length) {
    return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  }
  const body = bytes.subarray(start ?? 0);
  response.setHeader('content-length', body.length);
  if (start !== undefined) response.setHeader('content-range', `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
  response.writeHead(start === undefined ? 200 : 206);
  if (behaviour.slowly) return dribble(response, body);
  if (behaviour.cutAfter !== undefined && (behaviour.cuts ?? 0) > 0) {
    behaviour.cuts = (behaviour.cuts ?? 0) - 1;
    response.write(body.subarray(0, behaviour.cutAfter), () => setTimeout(() => response.destroy(), 50));
    return;
  }
  response.end(body);
}

function rangeStart(request: IncomingMessage, behaviour: Behaviour): number | undefined {
  const match = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const ifRange = request.headers['if-range'];
  const changed = ifRange !== undefined && ifRange !== behaviour.etag && !behaviour.ignoreIfRange;
  return match === null || behaviour.ignoreRange || changed ? undefined : Number(match[1]);
}

function dribble(response: ServerResponse, body: Uint8Array): void {
  const piece = Math.ceil(body.length / 50);
  let sent = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(sent, sent + piece));
    sent += piece;
    if (sent >= body.length) response.end();
  }, 40);
  response.on('close', () => clearInterval(timer));
}
