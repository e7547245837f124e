import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runFiles } from '@skiplane/resnet/node';
import sirv from 'sirv';
import { CommandError } from '../errors.ts';
import { note } from '../output.ts';
import { readVersion } from '../version.ts';
import { sendEvents } from './event-stream.ts';

export interface PlayOptions {
  /** The built playground. */
  readonly pages: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** CIFAR-10's archive on this machine; null where there is none. */
  readonly archive: string | null;
  /** The folder of a run to watch; null for none. */
  readonly run: string | null;
}

/** Where the page finds what is on this machine. */
const paths = { info: '/local/info.json', archive: '/local/cifar10', events: '/local/events' } as const;

/** What `/local/info.json` says. */
interface LocalInfo {
  readonly version: string;
  /** Null where no archive is on this machine. */
  readonly cifar10: { readonly url: string; readonly bytes: number } | null;
  /** Null where no run is watched; the events are Server-Sent Events. */
  readonly run: { readonly name: string; readonly events: string } | null;
}

/** A page is cross-origin isolated, which threads need, and nothing here is for pages from elsewhere. */
const headers: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** Serves the playground, and what it may see of this machine, to this machine only. */
export class PlayServer {
  readonly url: string;
  readonly #server: Server;
  readonly #ended = new AbortController();
  readonly #streams = new Set<Promise<void>>();

  private constructor(server: Server, options: PlayOptions) {
    const { port } = server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}`;
    this.#server = server;
    const hosts = new Set(['127.0.0.1', 'localhost'].map((name) => `${name}:${port}`));
    const serve = sirv(options.pages, { etag: true });
    server.on('request', (request, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      // A page from elsewhere whose name points to this machine (DNS rebinding) sends its own name.
      if (!hosts.has(request.headers.host ?? '')) refuse(response, 403, `this server is ${this.url} only.`);
      else if (request.method !== 'GET' && request.method !== 'HEAD') refuse(response, 405, 'only GET and HEAD.');
      else if (!this.#answerLocal(request, response, options)) serve(request, response);
    });
  }

  /** @throws {CommandError} when the port is taken, or may not be used */
  static async open(options: PlayOptions): Promise<PlayServer> {
    const server = createServer();
    await new Promise<void>((opened, failed) => {
      server.once('error', (error: NodeJS.ErrnoException) => failed(portError(options.port, error)));
      server.listen(options.port, '127.0.0.1', opened);
    });
    return new PlayServer(server, options);
  }

  /** Tells those who watch that the run has ended, after its last event, and serves no more. */
  async close(): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#streams);
    const closed = new Promise((done) => this.#server.close(done));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Answers what is asked about this machine; false when it is about something else. */
  #answerLocal(request: IncomingMessage, response: ServerResponse, { archive, run }: PlayOptions): boolean {
    switch (new URL(request.url ?? '/', this.url).pathname) {
      case paths.info:
        this.#keep(response, sendInfo(response, { archive, run }));
        return true;
      case paths.archive:
        if (archive === null) refuse(response, 404, 'there is no archive of CIFAR-10 here.');
        else this.#keep(response, sendArchive(response, archive, request.method === 'HEAD'));
        return true;
      case paths.events:
        if (run === null) refuse(response, 404, 'no run is watched here.');
        else this.#keep(response, sendEvents(response, runFiles(run).events, this.#ended.signal));
        return true;
      default:
        return false;
    }
  }

  /** Waits for an answer at the end; one that fails is cut off, and said. */
  #keep(response: ServerResponse, answer: Promise<void>): void {
    const kept = answer.catch((error: NodeJS.ErrnoException) => {
      response.destroy();
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') note(`the page did not get its answer: ${error.message}`);
    });
    this.#streams.add(kept);
    void kept.then(() => this.#streams.delete(kept));
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

async function sendInfo(response: ServerResponse, { archive, run }: Pick<PlayOptions, 'archive' | 'run'>) {
  const info: LocalInfo = {
    version: readVersion(),
    cifar10: archive === null ? null : { url: paths.archive, bytes: (await stat(archive)).size },
    run: run === null ? null : { name: basename(resolve(run)), events: paths.events },
  };
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(info));
}

async function sendArchive(response: ServerResponse, archive: string, headOnly: boolean): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'application/gzip', 'Content-Length': (await stat(archive)).size });
  if (headOnly) response.end();
  else await pipeline(createReadStream(archive), response);
}

function portError(port: number, error: NodeJS.ErrnoException): Error {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program uses it',
    EACCES: 'this user may not use it',
  };
  const reason = reasons[error.code ?? ''];
  if (reason === undefined) return error;
  return new CommandError(
    `cannot serve on port ${port}: ${reason}. Choose another with --port, or leave it out to take any that is free.`,
  );
}
