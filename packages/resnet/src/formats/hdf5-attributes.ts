import { elementCount } from '@skiplane/core';
import { damaged, type Hdf5Bytes } from './hdf5-bytes.ts';
import { denseRecords } from './hdf5-dense.ts';
import { recordTypes } from './hdf5-tree2.ts';
import { messageTypes, readDatatype, readDataspace, type Message } from './hdf5-messages.ts';

/** A text, a list of texts, or undefined for everything else. */
export type TextAttribute = string | readonly string[] | undefined;

const maxTexts = 100_000;

/** The attributes of an object that are texts, by name. */
export function readAttributes(
  file: Hdf5Bytes,
  messages: readonly Message[],
): ReadonlyMap<string, () => TextAttribute> {
  const info = messages.find(({ type }) => type === messageTypes.attributeInfo);
  const places = messages.flatMap(({ type, at }) => (type === messageTypes.attribute ? [at] : []));
  if (info !== undefined) places.push(...heapAttributes(file, info.at));
  const attributes = new Map<string, () => TextAttribute>();
  for (const at of places) {
    const { name, read } = readAttribute(file, at);
    if (attributes.has(name)) throw damaged(`it has two attributes named '${name}'`);
    attributes.set(name, read);
  }
  return attributes;
}

/** Where the attributes of an object of many, or of large ones, lie. */
function heapAttributes(file: Hdf5Bytes, info: number): readonly number[] {
  const at = info + (file.u8(info + 1) & 1 ? 4 : 2);
  const places: number[] = [];
  for (const { record, find } of denseRecords(file, at, recordTypes.attributeByName)) {
    if ((file.u8(record + 8) & 2) !== 0)
      throw damaged('an attribute is shared between objects', 'Such files cannot be read.');
    places.push(find(record).at);
    if (places.length > maxTexts) throw damaged(`an object has more than ${maxTexts} attributes`);
  }
  return places;
}

function readAttribute(file: Hdf5Bytes, at: number) {
  const version = file.u8(at);
  if (version < 1 || version > 3) throw damaged(`an attribute has version ${version}`);
  if (version > 1 && file.u8(at + 1) !== 0)
    throw damaged('an attribute shares its type with others', 'Such files cannot be read.');
  const padded = (size: number): number => (version === 1 ? Math.ceil(size / 8) * 8 : size);
  const [nameBytes, typeBytes, spaceBytes] = [file.u16(at + 2), file.u16(at + 4), file.u16(at + 6)];
  const nameAt = at + (version === 3 ? 9 : 8);
  const typeAt = nameAt + padded(nameBytes);
  const spaceAt = typeAt + padded(typeBytes);
  const dataAt = spaceAt + padded(spaceBytes);
  const read = (): TextAttribute => {
    const { kind, size } = readDatatype(file, typeAt);
    const shape = readDataspace(file, spaceAt);
    if (shape === undefined || elementCount(shape) === 0) return [];
    const count = elementCount(shape);
    if ((kind !== 'text' && kind !== 'variable text') || size < 1) return undefined;
    if (count > maxTexts) throw damaged(`an attribute has ${count} texts`);
    file.slice(dataAt, count * size);
    const texts = Array.from({ length: count }, (_, i) =>
      kind === 'text' ? file.text(dataAt + i * size, size) : heapText(file, dataAt + i * size),
    );
    return shape.length === 0 ? (texts[0] ?? '') : texts;
  };
  return { name: file.text(nameAt, nameBytes), read };
}

/** A text in a global heap: its length, the heap's address, and its number there. */
function heapText(file: Hdf5Bytes, at: number): string {
  const length = file.u32(at);
  const heap = file.address(at + 4);
  const number = file.u32(at + 12);
  if (heap === undefined || length === 0) return '';
  file.expect(heap, 'GCOL');
  const end = heap + file.u64(heap + 8);
  for (let next = heap + 16; next + 16 <= end;) {
    const size = file.u64(next + 8);
    if (file.u16(next) === number) {
      if (length > size) throw damaged(`a text is longer than its place in the heap`);
      return file.text(next + 16, length);
    }
    // Number 0 is the room that is left.
    if (file.u16(next) === 0) break;
    next += 16 + Math.ceil(size / 8) * 8;
  }
  throw damaged(`text ${number} is not in its heap`);
}
