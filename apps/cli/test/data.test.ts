import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { skiplane, temporaryFolder } from './cli.ts';
import { serveFile, sha256, type FileServer } from './file-server.ts';

const bytes = randomBytes(200_000);
let server: FileServer;
let home: string;
let env: Record<string, string>;
let archive: string;

beforeEach(async () => {
  server = await serveFile({ bytes, etag: '"one"' });
  home = temporaryFolder();
  env = { XDG_CACHE_HOME: home, HOME: home, LOCALAPPDATA: home };
  archive = join(home, 'skiplane', 'cifar-10-binary.tar.gz');
});
afterEach(() => server.close());

const download = (...more: string[]): string[] => [
  'data',
  'download',
  '--url',
  server.url,
  '--sha256',
  sha256(bytes),
  ...more,
];

describe('skiplane data', () => {
  test.runIf(process.platform === 'linux')('downloads into the cache, once, and then lists it', async () => {
    const before = await skiplane(['data', '--json'], { env });
    expect(JSON.parse(before.stdout)).toMatchObject({ used: null });
    const first = await skiplane(download(), { env });
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toContain(archive);
    expect(readFileSync(archive).equals(bytes)).toBe(true);
    expect((await skiplane(download(), { env })).stdout).toContain('is there already');
    const after = await skiplane(['data', '--json'], { env });
    expect(JSON.parse(after.stdout)).toMatchObject({ used: 'cache' });
    expect((await skiplane(['data'], { env })).stdout).toContain('200 kB');
  });

  test('--to and --json', async () => {
    const to = join(home, 'elsewhere');
    const { stdout } = await skiplane(download('--to', to, '--json'), { env });
    const path = join(to, 'cifar-10-binary.tar.gz');
    expect(JSON.parse(stdout)).toEqual({ path, bytes: bytes.length, existed: false });
  });

  test('goes on after Ctrl-C', async () => {
    server.behaviour.slowly = true;
    const to = join(home, 'to');
    const part = join(to, 'cifar-10-binary.tar.gz.part');
    const first = await skiplane(download('--to', to), {
      env,
      onStart: (child) => {
        const poll = setInterval(() => {
          if (!existsSync(part) || readFileSync(part).length === 0) return;
          clearInterval(poll);
          child.kill('SIGINT');
        }, 20);
      },
    });
    expect(first.code).toBe(130);
    expect(first.stderr).toContain('Run the same command again to go on');
    server.behaviour.slowly = false;
    expect((await skiplane(download('--to', to), { env })).code).toBe(0);
    expect(server.ranges.at(-1)).toMatch(/^bytes=\d+-$/);
  });

  test('keeps nothing of a file with a wrong sum', async () => {
    const to = join(home, 'to');
    const { code, stdout, stderr } = await skiplane(['data', 'download', '--url', server.url, '--to', to], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('it must be c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd');
    expect(existsSync(join(to, 'cifar-10-binary.tar.gz'))).toBe(false);
  });

  test('names a status and an address', async () => {
    server.behaviour.status = 404;
    const { code, stderr } = await skiplane(download(), { env });
    expect(stderr).toBe(`error: cannot download ${server.url}: the server answers with status 404.\n`);
    expect(code).toBe(1);
  });

  test('without data every command says all ways out', async () => {
    const { code, stderr } = await skiplane(['train', '--epochs', '1'], { env });
    for (const way of ['skiplane data download', '--data DIR', '--data synthetic', 'SKIPLANE_DATA'])
      expect(stderr).toContain(way);
    expect(code).toBe(1);
    const missing = await skiplane(['train', '--data', 'nowhere'], { env });
    expect(missing.stderr).toContain("--data is 'nowhere', but there is no such file or folder");
  });
});
