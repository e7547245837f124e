import { ValueError } from '@skiplane/core';

/**
 * SHA-256 in lower-case hexadecimal digits.
 * @param what  that is identified, for the error
 * @throws {ValueError} where the page may not use WebCrypto, which needs https or localhost
 */
export async function sha256(data: Uint8Array | string, what: string): Promise<string> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) {
    throw new ValueError(
      `${what} cannot be identified: crypto.subtle is missing; serve the page over https or from localhost.`,
    );
  }
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : owned(data);
  return Array.from(new Uint8Array(await subtle.digest('SHA-256', bytes)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

/** The bytes in memory that WebCrypto takes: a copy where they are shared between threads. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}
