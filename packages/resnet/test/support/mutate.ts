import { randomStream, uniforms } from '@skiplane/core';

const extremes = [0, 1, 0x7f, 0x80, 0xff];

/** A damaged copy: bytes changed, numbers made extreme, parts cut out, doubled or moved, or the end gone. The seed decides it. */
export function mutated(bytes: Uint8Array, name: string, seed: number): Uint8Array {
  const draws = uniforms(randomStream(seed, name), 64);
  let next = 0;
  const below = (limit: number): number => Math.floor((draws[next++ % draws.length] ?? 0) * limit);
  // A copy even of Node's Buffers, whose slices share their memory.
  let result = new Uint8Array(bytes);
  const changes = 1 + below(3);
  for (let change = 0; change < changes && result.length > 16; change++) {
    // Most of what a reader decides on stands at the beginning or the end.
    const zone = below(3);
    const window = Math.min(result.length, zone === 0 ? result.length : 2048);
    const at = zone === 2 ? result.length - 1 - below(window) : below(window);
    const length = 1 + below(Math.min(64, result.length - at));
    switch (below(7)) {
      case 0:
        result[at] = (result[at] ?? 0) ^ (1 << below(8));
        break;
      case 1:
        result[at] = below(256);
        break;
      case 2:
        result.fill(extremes[below(extremes.length)] ?? 0, at, at + 2 ** below(4));
        break;
      case 3:
        result = joined(result.subarray(0, at), result.subarray(at + length));
        break;
      case 4:
        result = joined(result.subarray(0, at + length), result.subarray(at));
        break;
      case 5:
        result.copyWithin(below(result.length), at, at + length);
        break;
      default:
        result = result.slice(0, at);
    }
  }
  return result;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
