import { Inflate } from 'fflate';
import type { ByteSource } from '../byte-source.ts';
import { fileError } from './model-file.ts';

/** Bytes given to the unpacker at once: what they can grow to bounds the memory beyond the declared size. */
const chunkBytes = 65_536;

const damaged = (problem: string, cause?: unknown) => fileError('zip', problem, undefined, cause);

/** A deflated file of an archive, unpacked. @throws {FormatError} when it is damaged, or not of the declared size */
export function inflated(name: string, content: ByteSource, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let length = 0;
  const inflate = new Inflate((part) => {
    if (length + part.length > size) throw damaged(`'${name}' unpacks to more than the ${size} bytes it declares`);
    out.set(part, length);
    length += part.length;
  });
  try {
    for (let at = 0; at < content.length; at += chunkBytes)
      inflate.push(content.subarray(at, at + chunkBytes), at + chunkBytes >= content.length);
  } catch (error) {
    if (error instanceof Error && error.name === 'FormatError') throw error;
    throw damaged(`'${name}' cannot be unpacked (${error instanceof Error ? error.message : String(error)})`, error);
  }
  if (length !== size) throw damaged(`'${name}' unpacks to ${length} bytes, but declares ${size}`);
  return out;
}
