import { SkiplaneError } from '@skiplane/core';
import { addressOf, fetchFile } from '@skiplane/resnet';

/**
 * A file of the network as it arrives.
 * @throws {SkiplaneError} of the code FETCH when there is no answer, or one without the file
 * @throws {ValueError} when the address is none
 */
export async function fetchStream(address: string): Promise<ReadableStream<Uint8Array>> {
  const { body } = await fetchFile(addressOf(address));
  if (body === null) throw new SkiplaneError('FETCH', `cannot fetch '${address}': the server's answer is empty.`);
  return body;
}
