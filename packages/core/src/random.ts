import { ValueError } from './errors.ts';

/**
 * Random numbers by address: the number at an index of a named stream is a pure function of seed, name and index, so it
 * depends neither on the order nor on the number of draws before it. Every engine gives the same bits.
 *
 * @source Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox4x32-10)
 */
export interface RandomStream {
  readonly key: readonly [low: number, high: number];
  readonly name: readonly [low: number, high: number];
}

const rounds = 10;
const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;
const two32 = 2 ** 32;
const two53 = 2 ** 53;

/** High 32 bits of the product of two unsigned 32-bit integers, by 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  return aHigh * bHigh + (middle >>> 16) + ((aLow * bHigh + (middle & 0xffff)) >>> 16);
}

/**
 * The block cipher of the generator: 128 random bits of a 128-bit counter and a 64-bit key, all as unsigned 32-bit words.
 *
 * @param out  receives the four words; a new array by default
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  out: Uint32Array = new Uint32Array(4),
): Uint32Array {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(multiplier0, c0);
    const low0 = Math.imul(multiplier0, c0);
    const high1 = multiplyHigh(multiplier1, c2);
    const low1 = Math.imul(multiplier1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + weyl0) >>> 0;
    k1 = (k1 + weyl1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
  return out;
}

/** FNV-1a, 64 bits, of the UTF-16 units of a text, low byte first. */
function hash64(text: string): [low: number, high: number] {
  const prime = 0x100000001b3n;
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    for (const byte of [unit & 0xff, unit >>> 8]) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * prime);
  }
  return [Number(hash & 0xffffffffn), Number(hash >> 32n)];
}

/**
 * The stream of a seed and a name, such as a parameter's or `shuffle/epoch3`. Streams of different names are independent.
 *
 * @throws {ValueError} when the seed is not an integer from 0 to 2^53 − 1
 */
export function randomStream(seed: number, name: string): RandomStream {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ValueError(`seed must be an integer from 0 to 2^53 - 1, but is ${seed}.`, { seed });
  }
  return { key: [seed >>> 0, Math.floor(seed / two32)], name: hash64(name) };
}

/** The number at an index (an integer from 0) of a stream: uniform in [0, 1), 53 bits. */
export function uniform(stream: RandomStream, index: number): number {
  const words = block(stream, Math.floor(index / 2), new Uint32Array(4));
  return toUnit(words, (index % 2) * 2);
}

/** The numbers at indices `start` to `start + count − 1` of a stream, as {@link uniform} gives them. */
export function uniforms(stream: RandomStream, count: number, start = 0): Float64Array {
  const words = new Uint32Array(4);
  const result = new Float64Array(count);
  let loaded = -1;
  for (let i = 0; i < count; i++) {
    const number = Math.floor((start + i) / 2);
    if (number !== loaded) block(stream, number, words);
    loaded = number;
    result[i] = toUnit(words, ((start + i) % 2) * 2);
  }
  return result;
}

/**
 * A permutation of 0 … count − 1, each of them equally likely, keyed by seed and name.
 *
 * @source Fisher & Yates, in Durstenfeld's form; indices by rejection, so without the bias of a remainder
 */
export function permutation(seed: number, name: string, count: number): Uint32Array {
  const stream = randomStream(seed, name);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let index = 0;
  const below = (limit: number): number => {
    const whole = two53 - (two53 % limit);
    let draw: number;
    do draw = uniform(stream, index++) * two53;
    while (draw >= whole);
    return draw % limit;
  };
  for (let i = count - 1; i > 0; i--) {
    const j = below(i + 1);
    const kept = order[i] as number;
    order[i] = order[j] as number;
    order[j] = kept;
  }
  return order;
}

function block({ key, name }: RandomStream, number: number, out: Uint32Array): Uint32Array {
  return philox4x32([number >>> 0, Math.floor(number / two32), name[0], name[1]], key, out);
}

/** 53 bits of the two words at `at`, as a number in [0, 1). */
function toUnit(words: Uint32Array, at: number): number {
  return (((words[at] as number) >>> 5) * 2 ** 26 + ((words[at + 1] as number) >>> 6)) / two53;
}
