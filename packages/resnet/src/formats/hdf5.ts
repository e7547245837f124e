import type { ByteSource } from '../byte-source.ts';
import { readAttributes, type TextAttribute } from './hdf5-attributes.ts';
import { damaged, hdf5Format, Hdf5Bytes } from './hdf5-bytes.ts';
import { readDataObject, type DataObject } from './hdf5-data.ts';
import { readLinks } from './hdf5-groups.ts';
import { readMessages } from './hdf5-messages.ts';
import { checkShape, type FileTensor } from './model-file.ts';
import { toFloat32 } from './numbers.ts';

const magic = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** @param head  the first bytes of a file */
export function isHdf5(head: Uint8Array): boolean {
  return magic.every((byte, index) => head[index] === byte);
}

/** Groups and data sets, counted along all links; and how deep they are nested. */
const maxObjects = 100_000;
const maxDepth = 32;

/** An HDF5 file whose data sets are known by their paths, such as `model_weights/conv2d/conv2d/kernel:0`. */
export interface Hdf5File {
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /** Paths of all groups; the root is ''. */
  readonly groups: ReadonlySet<string>;
  /** An attribute of a group: a text, or a list of texts; undefined when it is neither, or not there. */
  text(group: string, attribute: string): string | undefined;
  texts(group: string, attribute: string): readonly string[] | undefined;
}

/**
 * Reads the directory of an HDF5 file, and no data: groups of symbol tables and of links, data sets in one piece or in
 * chunks, deflated and shuffled, and attributes that are texts, which is what h5py writes unless it is told otherwise. It is
 * this library's own reader: libhdf5 trusts files, and damaged ones made it read outside its memory, and hang.
 *
 * @throws {FormatError} when it is damaged, or has what this cannot read
 * @source https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
 */
export function openHdf5(source: ByteSource): Hdf5File {
  if (!isHdf5(source.subarray(0, magic.length))) throw damaged('it does not begin as one');
  const file = new Hdf5Bytes(source);
  const tensors = new Map<string, FileTensor>();
  const groups = new Map<string, ReadonlyMap<string, () => TextAttribute>>();
  const visit = (address: number, path: string, depth: number): void => {
    if (depth > maxDepth) throw damaged(`its groups are nested more than ${maxDepth} deep`);
    if (groups.size + tensors.size > maxObjects) throw damaged(`it has more than ${maxObjects} objects`);
    const messages = readMessages(file, address);
    const data = readDataObject(file, messages);
    if (data !== undefined) {
      tensors.set(path, tensorOf(path, data));
      return;
    }
    const links = readLinks(file, messages);
    if (links === undefined) return;
    groups.set(path, readAttributes(file, messages));
    for (const { name, address: child } of links) {
      const childPath = path === '' ? name : `${path}/${name}`;
      if (groups.has(childPath) || tensors.has(childPath)) throw damaged(`it has two objects named '${childPath}'`);
      visit(child, childPath, depth + 1);
    }
  };
  visit(rootAddress(file), '', 0);
  return {
    tensors,
    groups: new Set(groups.keys()),
    text(group, key) {
      const value = groups.get(group)?.get(key)?.();
      return typeof value === 'string' ? value : undefined;
    },
    texts(group, key) {
      const value = groups.get(group)?.get(key)?.();
      return Array.isArray(value) ? value : undefined;
    },
  };
}

/** The root group's object, which the superblock names. */
function rootAddress(file: Hdf5Bytes): number {
  const version = file.u8(8);
  if (version > 3) throw damaged(`its superblock has version ${version}`);
  const modern = version >= 2;
  const sizes = modern ? 9 : 13;
  const base = modern ? 12 : version === 1 ? 28 : 24;
  if (file.u8(sizes) !== 8 || file.u8(sizes + 1) !== 8 || file.u64(base) !== 0)
    throw damaged('its addresses have not 8 bytes, or do not count from its begin', 'Such files cannot be read.');
  const end = file.u64(base + 16);
  if (end > file.length) throw damaged(`it has ${file.length} bytes where it should have ${end}: it is truncated`);
  const root = file.address(modern ? base + 24 : base + 40);
  if (root === undefined) throw damaged('it has no root group');
  return root;
}

function tensorOf(name: string, { shape, datatype, read }: DataObject): FileTensor {
  const { kind, size, littleEndian } = datatype;
  const count = checkShape(hdf5Format, name, shape);
  const dtype = kind === 'int' || kind === 'uint' || kind === 'float' ? `${kind}${size * 8}` : kind;
  return {
    name,
    shape,
    dtype,
    read() {
      if (!littleEndian) throw damaged(`'${name}' has its bytes in big-endian order`, 'Such files cannot be read.');
      return toFloat32(read(), dtype, count);
    },
  };
}
