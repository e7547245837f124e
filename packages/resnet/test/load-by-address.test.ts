import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadModel } from '../src/index.ts';
import { fixture } from './support/foreign.ts';

const server = createServer(({ url = '/' }, response) => {
  if (url === '/page') response.setHeader('content-type', 'text/html').end('<!doctype html>');
  else if (url === '/broken') {
    response.setHeader('content-length', 1000).write('abc', () => {
      response.destroy();
    });
  } else if (/^\/(?:small-tfjs|timm)/.test(url)) response.end(fixture(new URL(url, 'http://host').pathname.slice(1)));
  else response.writeHead(404).end();
});
const sibling = (shard: string) => Promise.resolve(fixture(shard));
let base = '';

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => server.close());

test.each(['timm.safetensors', 'small-tfjs.json?version=1'])('%s loads by its address', async (name) => {
  const [path = ''] = name.split('?');
  const { parameters } = await loadModel(`${base}/${name}`);
  expect(parameters).toEqual((await loadModel(fixture(path), { sibling })).parameters);
});

test.each([
  ['/missing.th', 'FETCH', 'the server answers 404 Not Found.'],
  ['/broken', 'FETCH', 'the connection broke before the end'],
  ['/page', 'FORMAT', 'this is no file of a known kind: its first bytes are 3c 21'],
])('what is wrong with %s is said with its address', async (path, code, problem) => {
  await expect(loadModel(base + path)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(new RegExp(`^cannot (?:fetch|load) '${base}${path}': ${problem}`)) as string,
  });
});

test.each(['https://', 'http://[', 'models/resnet20.h5'])("'%s' is no address", async (address) => {
  await expect(loadModel(address)).rejects.toMatchObject({
    code: 'VALUE',
    message: expect.stringContaining(`'${address}' is no address`) as string,
  });
});

test('no answer is an error with its reason', async () => {
  await expect(loadModel('http://127.0.0.1:1/model.onnx')).rejects.toMatchObject({
    code: 'FETCH',
    message: expect.stringContaining("'http://127.0.0.1:1/model.onnx': there is no answer (") as string,
  });
});
