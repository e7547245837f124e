import { SkiplaneError, ValueError } from '@skiplane/core';

/** @throws {ValueError} when a text is no address, nor one relative to the page */
export function addressOf(source: URL | string): URL {
  const base = globalThis.location?.href;
  if (source instanceof URL || URL.canParse(source, base)) return new URL(source, base);
  throw new ValueError(
    `'${source}' is no address: give one such as 'https://example.org/resnet20.h5'. Paths of files are for loadModel of '@skiplane/resnet/node'.`,
    { source },
  );
}

/** A server's answer that has the file. @throws {SkiplaneError} of the code FETCH when there is none */
export async function fetchFile(url: URL): Promise<Response> {
  const response = await fetch(url).catch((error: unknown) => {
    throw notFetched(url, 'there is no answer', error);
  });
  if (!response.ok) throw notFetched(url, `the server answers ${response.status} ${response.statusText}`);
  return response;
}

/** All bytes at an address. @throws {SkiplaneError} of the code FETCH when they do not come */
export async function fetchBytes(url: URL): Promise<Uint8Array> {
  const response = await fetchFile(url);
  const bytes = await response.arrayBuffer().catch((error: unknown) => {
    throw notFetched(url, 'the connection broke before the end', error);
  });
  return new Uint8Array(bytes);
}

/** Systems say why in the cause of their error, browsers not at all. */
function notFetched({ href }: URL, problem: string, error?: unknown): SkiplaneError {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  const reason = cause instanceof Error && cause.message !== '' ? ` (${cause.message})` : '';
  return new SkiplaneError('FETCH', `cannot fetch '${href}': ${problem}${reason}.`, { url: href }, error);
}
