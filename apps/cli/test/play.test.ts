import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PlayServer, type PlayOptions } from '../src/play/server.ts';
import { skiplane, temporaryFolder } from './cli.ts';

let folder: string;
let options: PlayOptions;
const servers: PlayServer[] = [];

beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder, 'pages'));
  writeFileSync(join(folder, 'pages', 'index.html'), '<!doctype html><title>playground</title>');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  options = { pages: join(folder, 'pages'), port: 0, archive: null, run: null };
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function open(more: Partial<PlayOptions> = {}): Promise<PlayServer> {
  const server = await PlayServer.open({ ...options, ...more });
  servers.push(server);
  return server;
}

/** `fetch` sends the host of the address. */
function statusFor(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end();
  });
}

test('serves the page cross-origin isolated, and nothing beside it', async () => {
  const { url } = await open();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const page = await fetch(`${url}/?watch`);
  expect(await page.text()).toContain('<title>playground</title>');
  expect(Object.fromEntries(page.headers)).toMatchObject({
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-resource-policy': 'same-origin',
  });
  for (const path of ['/../secret.txt', '/%2e%2e/secret.txt', '/missing']) {
    expect((await fetch(url + path)).status).toBe(404);
  }
  expect((await fetch(url, { method: 'POST' })).status).toBe(405);
});

test('refuses a request for another host, which a page from elsewhere would send', async () => {
  const { url } = await open();
  const { port } = new URL(url);
  expect(await statusFor(url, `localhost:${port}`)).toBe(200);
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1.evil.example:${port}`]) {
    expect(await statusFor(url, host)).toBe(403);
  }
});

test('gives the archive and says what there is', async () => {
  const archive = join(folder, 'cifar-10-binary.tar.gz');
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
  writeFileSync(archive, bytes);
  const { url } = await open({ archive });
  const info = (await (await fetch(`${url}/local/info.json`)).json()) as { cifar10: { url: string } };
  expect(info).toMatchObject({ cifar10: { bytes: bytes.length }, run: null });
  const got = await fetch(url + info.cifar10.url);
  expect(new Uint8Array(await got.arrayBuffer())).toEqual(bytes);

  const empty = await open();
  expect(await (await fetch(`${empty.url}/local/info.json`)).json()).toMatchObject({ cifar10: null, run: null });
  expect((await fetch(`${empty.url}/local/cifar10`)).status).toBe(404);
  expect((await fetch(`${empty.url}/local/events`)).status).toBe(404);
});

test('streams the events of a run: those before, those to come, again after a resume, and the end', async () => {
  const run = join(folder, 'run');
  const log = join(run, 'events.jsonl');
  mkdirSync(run);
  const server = await open({ run });
  expect(await (await fetch(`${server.url}/local/info.json`)).json()).toMatchObject({ run: { name: 'run' } });
  const { body } = await fetch(`${server.url}/local/events`);
  const chunks = (body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(new TextDecoderStream()).getReader();
  let heard = '';
  const hear = async (text: string): Promise<void> => {
    while (!heard.includes(text)) {
      const { done, value } = await chunks.read();
      if (done) throw new Error(`the stream ended without ${text}; it said ${heard}`);
      heard += value;
    }
  };
  writeFileSync(log, '{"type":"start"}\n{"type":"progress","st');
  await hear('data: {"type":"start"}\n\n');
  appendFileSync(log, 'ep":5}\n');
  await hear('data: {"type":"progress","step":5}\n\n');
  writeFileSync(`${log}.new`, '{"type":"start","step":3}\n');
  renameSync(`${log}.new`, log);
  await hear('event: again\ndata:\n\ndata: {"type":"start","step":3}\n\n');
  appendFileSync(log, '{"type":"end"}\n');
  await server.close();
  await hear('data: {"type":"end"}\n\nevent: end\ndata:\n\n');
});

test('a port that is taken is named, with a way out', async () => {
  const { url } = await open();
  const port = Number(new URL(url).port);
  await expect(open({ port })).rejects.toThrow(
    `cannot serve on port ${port}: another program uses it. Choose another with --port, or leave it out`,
  );
});

test('a folder that is not there cannot be watched', async () => {
  const { code, stderr } = await skiplane(['play', '--no-open', '--watch', 'nowhere']);
  expect(stderr).toContain("cannot watch 'nowhere': there is no such folder");
  expect(code).toBe(1);
  const several = await skiplane(['train', '--watch', '--seeds', '1,2', '--data', 'synthetic']);
  expect(several).toMatchObject({ code: 2, stderr: expect.stringContaining("'skiplane play --watch FOLDER'") });
});
