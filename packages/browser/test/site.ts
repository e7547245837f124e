import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import sirv from 'sirv';

export interface SiteOptions {
  /** Send the headers of a cross-origin isolated page. */
  readonly isolated: boolean;
  /** A Content-Security-Policy. */
  readonly policy?: string;
}

/** Serves a folder on this machine. */
export class Site {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(folder: string, { isolated, policy }: SiteOptions): Promise<Site> {
    const headers = {
      ...(isolated && { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }),
      ...(policy !== undefined && { 'Content-Security-Policy': policy }),
    };
    const serve = sirv(folder, {
      dev: true,
      setHeaders: (response) => {
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      },
    });
    const server = createServer((request, response) => serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Site(server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
