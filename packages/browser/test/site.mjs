import { createServer } from 'node:http';
import sirv from 'sirv';

/** Serves a folder on this machine. */
export class Site {
  #server;

  /** @param {import('node:http').Server} server */
  constructor(server) {
    this.#server = server;
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    this.url = `http://127.0.0.1:${address.port}`;
  }

  /**
   * @param {string} folder
   * @param {{ readonly isolated: boolean, readonly policy?: string }} options  whether to send the headers of a cross-origin
   *   isolated page; a Content-Security-Policy
   */
  static async open(folder, { isolated, policy }) {
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
    await new Promise((resolve) => void server.listen(0, '127.0.0.1', () => resolve(undefined)));
    return new Site(server);
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
