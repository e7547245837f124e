import type { Parameters } from '../parameters.ts';
import { sha256 } from '../sha256.ts';

/**
 * What identifies weights and moving statistics: SHA-256 of the names and of the bytes of their float32 values, in
 * hexadecimal. Two sets have the same one exactly when they have the same bits.
 * @throws {ValueError} where the page may not use WebCrypto, which needs https or localhost
 */
export async function parametersIdentity(parameters: Parameters): Promise<string> {
  const what = 'the weights';
  const lines: string[] = [];
  for (const name of [...parameters.keys()].toSorted()) {
    const { buffer, byteOffset, byteLength } = parameters.get(name) ?? new Float32Array(0);
    lines.push(`${name} ${await sha256(new Uint8Array(buffer, byteOffset, byteLength), what)}`);
  }
  return sha256(lines.join('\n'), what);
}
