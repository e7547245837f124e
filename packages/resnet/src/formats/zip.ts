import { Inflate } from 'fflate';
import { fileError } from './model-file.ts';

const format = 'zip';

const endSignature = 0x06054b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
const endBytes = 22;
const centralBytes = 46;
const localBytes = 30;
const maxEntries = 100_000;
/** What deflate can make of a byte at most. */
const maxRatio = 1032;
/** All entries together, unpacked. */
const maxTotal = 2 ** 32;

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /** Its content: a view where it is stored as it is, unpacked where it is deflated. */
  read(): Uint8Array;
}

export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= endBytes && viewOf(bytes).getUint32(0, true) === localSignature;
}

/**
 * The files of a zip archive by name, from its directory at the end.
 * @throws {FormatError} when it is truncated, has names twice, entries that overlap, or sizes that no file of its length unpacks to
 * @source https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function readZip(bytes: Uint8Array): ReadonlyMap<string, ZipEntry> {
  const view = viewOf(bytes);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  const start = view.getUint32(end + 16, true);
  if (count === 0xffff || start === 0xffff_ffff)
    throw fileError(
      format,
      'it is a ZIP64 archive, of more than 4 GiB or 65,534 files',
      'Such archives cannot be read.',
    );
  const entries = new Map<string, ZipEntry>();
  const spans: (readonly [from: number, to: number, name: string])[] = [];
  let at = start;
  let total = 0;
  for (let i = 0; i < Math.min(count, maxEntries); i++) {
    const { name, method, packed, size, local, next } = centralEntry(bytes, view, at);
    at = next;
    if (name.endsWith('/')) continue;
    if (entries.has(name)) throw fileError(format, `it has two entries named '${name}'`);
    const from = localData(view, local, name);
    if (from + packed > start)
      throw fileError(format, `'${name}' ends at byte ${from + packed}, inside or behind the directory at ${start}`);
    if (size > packed * maxRatio + 64)
      throw fileError(format, `'${name}' would unpack from ${packed} to ${size} bytes`);
    total += size;
    if (total > maxTotal) throw fileError(format, `its entries would unpack to more than ${maxTotal} bytes`);
    spans.push([local, from + packed, name]);
    const content = bytes.subarray(from, from + packed);
    entries.set(name, { name, size, read: () => unpack(name, content, method, size) });
  }
  checkSpans(spans);
  return entries;
}

function findEnd(view: DataView): number {
  const lowest = Math.max(0, view.byteLength - endBytes - 0xffff);
  for (let at = view.byteLength - endBytes; at >= lowest; at--) {
    if (view.getUint32(at, true) === endSignature) return at;
  }
  throw fileError(format, 'it has no directory at its end: it is truncated');
}

function centralEntry(bytes: Uint8Array, view: DataView, at: number) {
  if (at + centralBytes > bytes.length || view.getUint32(at, true) !== centralSignature)
    throw fileError(format, `its directory is damaged at byte ${at}`);
  const nameBytes = view.getUint16(at + 28, true);
  const extraBytes = view.getUint16(at + 30, true);
  const next = at + centralBytes + nameBytes + extraBytes + view.getUint16(at + 32, true);
  if (next > bytes.length) throw fileError(format, `its directory is damaged at byte ${at}`);
  const name = new TextDecoder().decode(bytes.subarray(at + centralBytes, at + centralBytes + nameBytes));
  const [packed, size, local] = [
    view.getUint32(at + 20, true),
    view.getUint32(at + 24, true),
    view.getUint32(at + 42, true),
  ];
  if ((view.getUint16(at + 8, true) & 1) !== 0) throw fileError(format, `'${name}' is encrypted`);
  if (packed === 0xffff_ffff || size === 0xffff_ffff || local === 0xffff_ffff)
    throw fileError(format, `'${name}' has more than 4 GiB`, 'Such archives cannot be read.');
  return { name, method: view.getUint16(at + 10, true), packed, size, local, next };
}

/** Where the content of an entry begins. */
function localData(view: DataView, at: number, name: string): number {
  if (at + localBytes > view.byteLength || view.getUint32(at, true) !== localSignature)
    throw fileError(format, `'${name}' does not begin at byte ${at}`);
  return at + localBytes + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
}

function checkSpans(spans: (readonly [from: number, to: number, name: string])[]): void {
  let [end, before] = [0, ''];
  for (const [from, to, name] of spans.toSorted((a, b) => a[0] - b[0])) {
    if (from < end) throw fileError(format, `'${before}' and '${name}' overlap`);
    [end, before] = [to, name];
  }
}

/** Bytes given to the unpacker at once: what they can grow to bounds the memory beyond the declared size. */
const chunkBytes = 65_536;

function unpack(name: string, content: Uint8Array, method: number, size: number): Uint8Array {
  if (method === 0) {
    if (content.length !== size)
      throw fileError(format, `'${name}' is stored in ${content.length} bytes, but has ${size}`);
    return content;
  }
  if (method !== 8)
    throw fileError(format, `'${name}' is packed by method ${method}`, 'Stored and deflated files can be read.');
  const out = new Uint8Array(size);
  let length = 0;
  const inflate = new Inflate((part) => {
    if (length + part.length > size)
      throw fileError(format, `'${name}' unpacks to more than the ${size} bytes it declares`);
    out.set(part, length);
    length += part.length;
  });
  try {
    for (let at = 0; at < content.length; at += chunkBytes)
      inflate.push(content.subarray(at, at + chunkBytes), at + chunkBytes >= content.length);
  } catch (error) {
    if (error instanceof Error && error.name === 'FormatError') throw error;
    throw fileError(
      format,
      `'${name}' cannot be unpacked (${error instanceof Error ? error.message : String(error)})`,
      undefined,
      error,
    );
  }
  if (length !== size) throw fileError(format, `'${name}' unpacks to ${length} bytes, but declares ${size}`);
  return out;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
