import type { FormatError } from '@skiplane/core';
import type { ByteSource } from '../byte-source.ts';
import { ByteReader } from './byte-reader.ts';
import { wireOf, wireTypes, type ProtobufField, type ProtobufKind, type ProtobufMessage } from './protobuf.ts';
import { partOf } from './source-parts.ts';

/** A network of 1,000 layers has a tenth of these. */
const maxFields = 2_000_000;
const maxTextBytes = 2 ** 28;

/** What a message has by names; what is not in its table is skipped, what is not in the file is 0, '', null, or an empty list. */
export type Decoded = Record<string, unknown>;

/**
 * Reads a message: its contents stay where they are.
 * @param damaged  makes the error
 * @throws {FormatError} when it is damaged, or has absurdly many fields
 * @source https://protobuf.dev/programming-guides/encoding
 */
export function decodeProtobuf(
  table: ProtobufMessage,
  source: ByteSource,
  damaged: (problem: string) => FormatError,
): Decoded {
  return new MessageReader(source, damaged).message(table, 0, source.length);
}

/** Whole numbers one behind the other, each in as few bytes as it needs. @throws {FormatError} when the last does not end */
export function varintsOf(bytes: Uint8Array, damaged: (problem: string) => FormatError): number[] {
  return new MessageReader(bytes, damaged).packed('int', 0, bytes.length) as number[];
}

class MessageReader {
  readonly #file: ByteReader;
  readonly #damaged: (problem: string) => FormatError;
  #at = 0;
  #fields = 0;
  #textBytes = 0;

  constructor(source: ByteSource, damaged: (problem: string) => FormatError) {
    this.#file = new ByteReader(source, damaged);
    this.#damaged = damaged;
  }

  message(table: ProtobufMessage, from: number, to: number): Decoded {
    const values = defaultsOf(table);
    this.#at = from;
    while (this.#at < to) {
      const tag = this.#varint();
      const wire = tag % 8;
      if (++this.#fields > maxFields) throw this.#damaged(`it has more than ${maxFields} values`);
      const start = this.#at;
      const length = this.#lengthOf(wire);
      const [begin, end] = [this.#at, this.#at + length];
      if (end > to) throw this.#damaged(`a value at byte ${start} ends behind the message that it is in`);
      const field = table.get(Math.floor(tag / 8));
      if (field !== undefined) this.#read(values, field, wire, begin, end);
      this.#at = end;
    }
    return values;
  }

  #read(values: Decoded, field: ProtobufField, wire: number, from: number, to: number): void {
    const { name, kind, many } = field;
    const block = wire === wireTypes.block;
    const number = kind === 'int' || kind === 'float' || kind === 'double';
    if (!(wire === wireOf(kind) || (block && number && many) || (kind === 'content' && many)))
      throw this.#damaged(`its '${name}' at byte ${from} is of another type`);
    if (!many) values[name] = this.#value(kind, from, to);
    else {
      const list = values[name] as unknown[];
      if (block && number) for (const value of this.packed(kind, from, to)) list.push(value);
      else list.push(this.#value(kind, from, to));
    }
  }

  packed(kind: ProtobufKind, from: number, to: number): unknown[] {
    const list: unknown[] = [];
    this.#at = from;
    while (this.#at < to) {
      const begin = this.#at;
      const length = this.#lengthOf(wireOf(kind));
      list.push(this.#value(kind, begin, begin + length));
      this.#at = kind === 'int' ? this.#at : begin + length;
      if (list.length > maxFields || this.#at > to) throw this.#damaged(`a list at byte ${from} does not end`);
    }
    return list;
  }

  #value(kind: ProtobufKind, from: number, to: number): unknown {
    if (typeof kind !== 'string') return this.message(kind, from, to);
    if (kind === 'float') return this.#file.f32(from);
    if (kind === 'double') return this.#file.f64(from);
    if (kind === 'content') return partOf(this.#file.source, from, to - from);
    if (kind === 'text') return new TextDecoder().decode(this.#bytes(from, to));
    if (kind === 'bytes') return this.#bytes(from, to);
    this.#at = from;
    return this.#varint();
  }

  #bytes(from: number, to: number): Uint8Array {
    this.#textBytes += to - from;
    if (this.#textBytes > maxTextBytes) throw this.#damaged(`its texts have more than ${maxTextBytes} bytes`);
    return this.#file.slice(from, to - from);
  }

  /** The bytes of the value that comes next; behind its length where it has one. */
  #lengthOf(wire: number): number {
    if (wire === wireTypes.block) return this.#varint();
    if (wire === wireTypes.eight) return 8;
    if (wire === wireTypes.four) return 4;
    if (wire !== wireTypes.varint) throw this.#damaged(`a value at byte ${this.#at} is of no type that there is`);
    const start = this.#at;
    this.#varint();
    const length = this.#at - start;
    this.#at = start;
    return length;
  }

  /** A signed number of 64 bits, of which a double holds what networks have. */
  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.#file.u8(this.#at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    let high = BigInt(value);
    for (let i = 7; i < 10; i++) {
      const byte = this.#file.u8(this.#at++);
      high |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return Number(BigInt.asIntN(64, high));
    }
    throw this.#damaged(`a number at byte ${this.#at - 10} does not end`);
  }
}

const empty = new Uint8Array(0);

function defaultsOf(table: ProtobufMessage): Decoded {
  const values: Decoded = {};
  for (const { name, kind, many } of table.values()) {
    if (many) values[name] = [];
    else if (typeof kind !== 'string') values[name] = null;
    else values[name] = kind === 'text' ? '' : kind === 'bytes' || kind === 'content' ? empty : 0;
  }
  return values;
}
