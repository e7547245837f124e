import { FormatError } from '@skiplane/core';
import { messageTypes } from './hdf5-messages.ts';

/** Where a text lies in the heap. */
export interface TextPlace {
  /** In bytes. */
  readonly length: number;
  readonly number: number;
}

interface Attribute {
  readonly name: string;
  readonly value: TextPlace | readonly string[];
}

/** A message of a header, padded to whole groups of eight bytes. */
type Message = readonly [type: number, body: Uint8Array];

const undefinedAddress = 0xffff_ffff_ffff_ffffn;
/** What a message can hold is counted in two bytes. */
const maxMessageBytes = 65_528;

/** The header of a group: its links, and its attributes. */
export function groupHeader(
  links: readonly { readonly name: string; readonly address: number }[],
  attributes: readonly Attribute[],
  heap: number,
): Uint8Array {
  const linkInfo = bytesOf(18, (view) => {
    view.setBigUint64(2, undefinedAddress, true);
    view.setBigUint64(10, undefinedAddress, true);
  });
  return headerOf([
    [messageTypes.linkInfo, linkInfo],
    [messageTypes.groupInfo, bytesOf(2, () => undefined)],
    ...links.map(({ name, address }): Message => [messageTypes.link, linkOf(name, address)]),
    ...attributes.flatMap(({ name, value }): readonly Message[] =>
      'number' in value
        ? [[messageTypes.attribute, attributeOf(name, variableText, scalar, textReference(value, heap))]]
        : listsOf(name, value),
    ),
  ]);
}

/** The header of a data set of float32 or int32 elements, one behind the other at an address. */
export function datasetHeader(shape: readonly number[], whole: boolean, address: number, length: number): Uint8Array {
  const layout = bytesOf(18, (view) => {
    view.setUint8(0, 3);
    view.setUint8(1, 1);
    view.setBigUint64(2, BigInt(address), true);
    view.setBigUint64(10, BigInt(length), true);
  });
  return headerOf([
    [messageTypes.dataspace, dataspace(shape)],
    [messageTypes.datatype, whole ? int32 : float32],
    // Space is allocated late, and a fill value written where one is set, which none is.
    [messageTypes.fillValue, Uint8Array.of(2, 2, 2, 0)],
    [messageTypes.layout, layout],
  ]);
}

/** A list that does not fit one attribute is cut, as Keras does: `layer_names0`, `layer_names1`, … */
function listsOf(name: string, texts: readonly string[]): readonly Message[] {
  const encoded = texts.map((text) => new TextEncoder().encode(text));
  const width = encoded.reduce((most, { length }) => Math.max(most, length), 1);
  const perPart = Math.floor(60_000 / width);
  if (perPart < 1) throw new FormatError(`a name of ${width} bytes cannot be written: 60,000 are the most.`);
  const count = Math.max(Math.ceil(texts.length / perPart), 1);
  return Array.from({ length: count }, (_, part) => {
    const own = encoded.slice(part * perPart, (part + 1) * perPart);
    const data = new Uint8Array(own.length * width);
    own.forEach((text, i) => data.set(text, i * width));
    const key = count === 1 ? name : `${name}${part}`;
    return [messageTypes.attribute, attributeOf(key, fixedText(width), dataspace([own.length]), data)];
  });
}

function headerOf(messages: readonly Message[]): Uint8Array {
  const size = messages.reduce((sum, [, body]) => sum + 8 + padded(body.length), 0);
  if (messages.length > 0xffff || messages.some(([, body]) => padded(body.length) > maxMessageBytes))
    throw new FormatError(`a group of ${messages.length} names and attributes cannot be written: it is too large.`);
  return bytesOf(16 + size, (view, bytes) => {
    view.setUint8(0, 1);
    view.setUint16(2, messages.length, true);
    view.setUint32(4, 1, true);
    view.setUint32(8, size, true);
    let at = 16;
    for (const [type, body] of messages) {
      view.setUint16(at, type, true);
      view.setUint16(at + 2, padded(body.length), true);
      bytes.set(body, at + 8);
      at += 8 + padded(body.length);
    }
  });
}

function linkOf(name: string, address: number): Uint8Array {
  const text = new TextEncoder().encode(name);
  return bytesOf(13 + text.length, (view, bytes) => {
    // Flags: the name's length has two bytes, and its characters are UTF-8.
    bytes.set([1, 0x11, 1]);
    view.setUint16(3, text.length, true);
    bytes.set(text, 5);
    view.setBigUint64(5 + text.length, BigInt(address), true);
  });
}

function attributeOf(name: string, type: Uint8Array, space: Uint8Array, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(`${name}\0`);
  const parts = [text, type, space];
  return bytesOf(8 + parts.reduce((sum, { length }) => sum + padded(length), data.length), (view, bytes) => {
    view.setUint8(0, 1);
    parts.forEach(({ length }, i) => view.setUint16(2 + 2 * i, length, true));
    let at = 8;
    for (const part of parts) {
      bytes.set(part, at);
      at += padded(part.length);
    }
    bytes.set(data, at);
  });
}

function textReference({ length, number }: TextPlace, heap: number): Uint8Array {
  return bytesOf(16, (view) => {
    view.setUint32(0, length, true);
    view.setBigUint64(4, BigInt(heap), true);
    view.setUint32(12, number, true);
  });
}

function dataspace(shape: readonly number[]): Uint8Array {
  return bytesOf(8 + 8 * shape.length, (view) => {
    view.setUint8(0, 1);
    view.setUint8(1, shape.length);
    shape.forEach((size, axis) => view.setBigUint64(8 + 8 * axis, BigInt(size), true));
  });
}

const scalar = dataspace([]);

/** Class and version, flags, size, bits from 0 to 31; of a float also where exponent and mantissa are, and the bias. */
const int32 = Uint8Array.of(0x10, 0x08, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0);
const float32 = Uint8Array.of(0x11, 0x20, 0x1f, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0);
/** UTF-8 of any length, its elements bytes. */
const variableText = Uint8Array.of(0x19, 1, 1, 0, 16, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0);

/** UTF-8 of a number of bytes, with zeros behind it. */
function fixedText(width: number): Uint8Array {
  return bytesOf(8, (view, bytes) => {
    bytes.set([0x13, 0x11]);
    view.setUint32(4, width, true);
  });
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

function bytesOf(length: number, write: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer), bytes);
  return bytes;
}
