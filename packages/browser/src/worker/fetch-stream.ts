import { SkiplaneError } from '@skiplane/core';

/** A file of the network as it arrives. @throws {SkiplaneError} of the code FETCH when the server has not got it */
export async function fetchStream(url: string): Promise<ReadableStream<Uint8Array>> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) {
    throw new SkiplaneError(
      'FETCH',
      `cannot fetch '${url}': the server answers ${response.status} ${response.statusText}.`,
    );
  }
  return response.body;
}
