/** The bytes of a file: all of them in memory, as in a `Uint8Array`, or read when they are asked for. */
export interface ByteSource {
  readonly length: number;
  subarray(from: number, to: number): Uint8Array;
}

/** In workers of browsers. */
interface SyncReader {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** A `File` or `Blob` that is read when it is asked for, as only workers can; undefined elsewhere. */
export function blobSource(blob: Blob): ByteSource | undefined {
  const { FileReaderSync } = globalThis as { readonly FileReaderSync?: new () => SyncReader };
  if (FileReaderSync === undefined) return undefined;
  return {
    length: blob.size,
    subarray: (from, to) => new Uint8Array(new FileReaderSync().readAsArrayBuffer(blob.slice(from, to))),
  };
}
