import type { ByteSource } from '../byte-source.ts';

/** A part of a source, which must hold it. */
export function partOf(source: ByteSource, from: number, length: number): ByteSource {
  return {
    length,
    subarray: (start, end) => source.subarray(from + Math.min(start, length), from + Math.min(end, length)),
  };
}

/** Several sources, one behind the other. */
export function joinedSources(sources: readonly ByteSource[]): ByteSource {
  const [first] = sources;
  if (first !== undefined && sources.length === 1) return first;
  let end = 0;
  const parts = sources.map((source) => ({ source, from: end, to: (end += source.length) }));
  return {
    length: end,
    subarray(start, stop) {
      const met = parts.filter(({ from, to }) => from < stop && to > start);
      const pieces = met.map(({ source, from, to }) =>
        source.subarray(Math.max(start, from) - from, Math.min(stop, to) - from),
      );
      const [only] = pieces;
      if (only !== undefined && pieces.length === 1) return only;
      const all = new Uint8Array(pieces.reduce((count, { length }) => count + length, 0));
      let at = 0;
      for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
      }
      return all;
    },
  };
}
