import { damaged, type Hdf5Bytes } from './hdf5-bytes.ts';

/** A message of an object's header. */
export interface Message {
  readonly type: number;
  readonly at: number;
  readonly size: number;
}

export const messageTypes = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  fillValue: 0x05,
  link: 0x06,
  layout: 0x08,
  groupInfo: 0x0a,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

const maxMessages = 100_000;

/** The messages of an object, those of its continuations included. @throws {FormatError} when the header is damaged */
export function readMessages(file: Hdf5Bytes, at: number): readonly Message[] {
  const modern = file.text(at, 4) === 'OHDR';
  const messages: Message[] = [];
  const { start, end, order } = modern ? modernHeader(file, at) : oldHeader(file, at);
  const blocks = [{ start, end }];
  for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
    const head = modern ? 4 + order : 8;
    for (let next = block.start; next + head <= block.end;) {
      const type = modern ? file.u8(next) : file.u16(next);
      const size = modern ? file.u16(next + 1) : file.u16(next + 2);
      const flags = modern ? file.u8(next + 3) : file.u8(next + 4);
      const content = next + head;
      next = content + size;
      if (next > block.end) throw damaged(`a message of the object at byte ${at} is longer than its header`);
      if (messages.length > maxMessages) throw damaged(`the object at byte ${at} has too many messages`);
      if (type === messageTypes.continuation) {
        const from = file.address(content) ?? 0;
        const to = from + file.u64(content + 8);
        blocks.push(modern ? { start: from + 4, end: to - 4 } : { start: from, end: to });
        if (blocks.length > 1000) throw damaged(`the object at byte ${at} goes on without end`);
      } else if ((flags & 2) === 0) messages.push({ type, at: content, size });
      else if (type === messageTypes.datatype || type === messageTypes.dataspace)
        throw damaged(`the object at byte ${at} shares its type with others`, 'Such files cannot be read.');
    }
  }
  return messages;
}

function oldHeader(file: Hdf5Bytes, at: number) {
  if (file.u8(at) !== 1) throw damaged(`there is no object at byte ${at}`);
  return { start: at + 16, end: at + 16 + file.u32(at + 8), order: 0 };
}

function modernHeader(file: Hdf5Bytes, at: number) {
  const flags = file.u8(at + 5);
  const sizeAt = at + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  const sizeBytes = 1 << (flags & 3);
  const start = sizeAt + sizeBytes;
  return { start, end: start + file.uint(sizeAt, sizeBytes), order: flags & 4 ? 2 : 0 };
}

/** An element type. */
export interface Datatype {
  readonly kind: 'int' | 'uint' | 'float' | 'text' | 'variable text' | 'other';
  readonly size: number;
  readonly littleEndian: boolean;
}

export function readDatatype(file: Hdf5Bytes, at: number): Datatype {
  const kind = file.u8(at) & 0xf;
  const bits = file.u8(at + 1);
  const size = file.u32(at + 4);
  const littleEndian = (bits & 1) === 0;
  if (kind === 0) return { kind: bits & 8 ? 'int' : 'uint', size, littleEndian };
  if (kind === 1) return { kind: 'float', size, littleEndian };
  if (kind === 3) return { kind: 'text', size, littleEndian: true };
  if (kind === 9 && (bits & 0xf) === 1) return { kind: 'variable text', size, littleEndian: true };
  return { kind: 'other', size, littleEndian: true };
}

/** Sizes of a data space; undefined for one that is empty. */
export function readDataspace(file: Hdf5Bytes, at: number): readonly number[] | undefined {
  const version = file.u8(at);
  const rank = file.u8(at + 1);
  if (version !== 1 && version !== 2) throw damaged(`a data space has version ${version}`);
  if (version === 2 && file.u8(at + 3) === 2) return undefined;
  const start = version === 1 ? at + 8 : at + 4;
  return Array.from({ length: rank }, (_, axis) => file.u64(start + 8 * axis));
}

/** Sizes to which a data space can grow, where it says so and they have an end. */
export function readMaxima(file: Hdf5Bytes, at: number): readonly number[] | undefined {
  const sizes = readDataspace(file, at);
  if (sizes === undefined || (file.u8(at + 2) & 1) === 0) return sizes;
  const start = (file.u8(at) === 1 ? at + 8 : at + 4) + 8 * sizes.length;
  return sizes.map((size, axis) => {
    const bytes = file.slice(start + 8 * axis, 8);
    return bytes.every((byte) => byte === 0xff) ? size : file.u64(start + 8 * axis);
  });
}
