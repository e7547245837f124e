import type { ByteSource } from '../byte-source.ts';
import { ByteReader } from './byte-reader.ts';
import { checkWholeSize, fileError } from './model-file.ts';
import { inflated } from './zip-inflate.ts';
import { partOf } from './source-parts.ts';

const zipFormat = 'zip';

const signatures = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  end64Locator: 0x07064b50,
};
const endBytes = 22;
const locatorBytes = 20;
const centralBytes = 46;
const localBytes = 30;
const maxEntries = 100_000;
/** What deflate can make of a byte at most. */
const maxRatio = 1032;
/** All deflated entries together, unpacked. */
const maxTotal = 2 ** 32;
/** What stands in four bytes for a number that is in a ZIP64 field. */
const elsewhere = 0xffff_ffff;

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /** Its content: the archive's own bytes where it is stored as it is, unpacked where it is deflated. */
  open(): ByteSource;
  /** All of it. */
  read(): Uint8Array;
}

/** @param head  the first bytes of a file */
export function isZip(head: Uint8Array): boolean {
  return [0x50, 0x4b, 0x03, 0x04].every((byte, index) => head[index] === byte);
}

const damaged = (problem: string, next?: string) => fileError(zipFormat, problem, next);

/**
 * The files of a zip or ZIP64 archive by name, from its directory at the end; of the rest only where they begin is read.
 * @throws {FormatError} when it is truncated, has names twice, entries that overlap, or sizes that no file of its length unpacks to
 * @source https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function readZip(source: ByteSource): ReadonlyMap<string, ZipEntry> {
  const file = new ByteReader(source, damaged);
  const { count, start } = directoryOf(file);
  if (count > maxEntries) throw damaged(`it has ${count} files`);
  const entries = new Map<string, ZipEntry>();
  const spans: (readonly [from: number, to: number, name: string])[] = [];
  let at = start;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const { name, method, packed, size, local, next } = centralEntry(file, at);
    at = next;
    if (name.endsWith('/')) continue;
    if (entries.has(name)) throw damaged(`it has two entries named '${name}'`);
    const from = localData(file, local, name);
    if (from + packed > start)
      throw damaged(`'${name}' ends at byte ${from + packed}, inside or behind the directory at ${start}`);
    if (size > packed * maxRatio + 64) throw damaged(`'${name}' would unpack from ${packed} to ${size} bytes`);
    if (method === 0 && size !== packed) throw damaged(`'${name}' is stored in ${packed} bytes, but has ${size}`);
    total += method === 0 ? 0 : size;
    if (total > maxTotal) throw damaged(`its entries would unpack to more than ${maxTotal} bytes`);
    spans.push([local, from + packed, name]);
    entries.set(name, entryOf(partOf(source, from, packed), { name, method, size }));
  }
  checkSpans(spans);
  return entries;
}

function entryOf(
  content: ByteSource,
  { name, method, size }: { readonly name: string; readonly method: number; readonly size: number },
): ZipEntry {
  const open = (): ByteSource => {
    if (method === 0) return content;
    if (method !== 8)
      throw damaged(`'${name}' is packed by method ${method}`, 'Stored and deflated files can be read.');
    checkWholeSize({ length: size });
    return inflated(name, content, size);
  };
  const read = (): Uint8Array => {
    checkWholeSize({ length: size });
    return open().subarray(0, size);
  };
  return { name, size, open, read };
}

/** How many files the directory has, and where it begins. */
function directoryOf(file: ByteReader): { readonly count: number; readonly start: number } {
  const end = findEnd(file);
  const [count, start] = [file.u16(end + 10), file.u32(end + 16)];
  const locator = end - locatorBytes;
  if (locator < 0 || file.u32(locator) !== signatures.end64Locator) return { count, start };
  const end64 = file.u64(locator + 8);
  if (file.u32(end64) !== signatures.end64) throw damaged(`there is no ZIP64 directory at byte ${end64}`);
  return { count: file.u64(end64 + 32), start: file.u64(end64 + 48) };
}

function findEnd(file: ByteReader): number {
  const lowest = Math.max(0, file.length - endBytes - 0xffff);
  for (let at = file.length - endBytes; at >= lowest; at--) if (file.u32(at) === signatures.end) return at;
  throw damaged('it has no directory at its end: it is truncated');
}

function centralEntry(file: ByteReader, at: number) {
  if (at + centralBytes > file.length || file.u32(at) !== signatures.central)
    throw damaged(`its directory is damaged at byte ${at}`);
  const [nameBytes, extraBytes] = [file.u16(at + 28), file.u16(at + 30)];
  const extra = at + centralBytes + nameBytes;
  const next = extra + extraBytes + file.u16(at + 32);
  if (next > file.length) throw damaged(`its directory is damaged at byte ${at}`);
  const name = new TextDecoder().decode(file.slice(at + centralBytes, nameBytes));
  if ((file.u16(at + 8) & 1) !== 0) throw damaged(`'${name}' is encrypted`);
  const short = { size: file.u32(at + 24), packed: file.u32(at + 20), local: file.u32(at + 42) };
  return { name, method: file.u16(at + 10), ...inZip64(file, name, short, extra, extra + extraBytes), next };
}

interface Place {
  readonly size: number;
  readonly packed: number;
  readonly local: number;
}

/** Numbers that do not fit four bytes are in an extra field of the kind 1, in this order. */
function inZip64(file: ByteReader, name: string, short: Place, from: number, to: number): Place {
  if (!Object.values(short).includes(elsewhere)) return short;
  for (let at = from; at + 4 <= to;) {
    const end = at + 4 + file.u16(at + 2);
    if (file.u16(at) === 1 && end <= to) {
      let next = at + 4;
      const long = (value: number): number => {
        if (value !== elsewhere) return value;
        if (next + 8 > end) throw damaged(`'${name}' has no size in its ZIP64 field`);
        next += 8;
        return file.u64(next - 8);
      };
      return { size: long(short.size), packed: long(short.packed), local: long(short.local) };
    }
    at = end;
  }
  throw damaged(`'${name}' has no ZIP64 field`);
}

/** Where the content of an entry begins. */
function localData(file: ByteReader, at: number, name: string): number {
  if (at + localBytes > file.length || file.u32(at) !== signatures.local)
    throw damaged(`'${name}' does not begin at byte ${at}`);
  return at + localBytes + file.u16(at + 26) + file.u16(at + 28);
}

function checkSpans(spans: readonly (readonly [from: number, to: number, name: string])[]): void {
  let [end, before] = [0, ''];
  for (const [from, to, name] of spans.toSorted((a, b) => a[0] - b[0])) {
    if (from < end) throw damaged(`'${before}' and '${name}' overlap`);
    [end, before] = [to, name];
  }
}
