import { damaged, type Hdf5Bytes } from './hdf5-bytes.ts';

/** Kinds of records in version 2 B-trees. */
export const recordTypes = { hugeObject: 1, linkByName: 5, attributeByName: 8, chunk: 10, filteredChunk: 11 } as const;

const maxDepth = 20;
/** Signature, version, type and check sum of a node. */
const frameBytes = 10;
const nodeStart = 6;

/** A version 2 B-tree, of which the places of all records can be walked through. */
interface Tree {
  readonly type: number;
  readonly recordBytes: number;
  /** Bytes of the number of records of a node, and of all below it, by level from the leaves up. */
  readonly countBytes: number;
  readonly totalBytes: readonly number[];
}

/**
 * The places of the records of a version 2 B-tree.
 * @throws {FormatError} when it is damaged, or of none of these types
 * @source https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html#subsubsec_fmt3_infra_btrees_v2
 */
export function* records(file: Hdf5Bytes, at: number, ...types: readonly number[]): Generator<number> {
  file.expect(at, 'BTHD');
  const type = file.u8(at + 5);
  if (!types.includes(type)) throw damaged(`the tree at byte ${at} is of the type ${type}`);
  const [nodeBytes, recordBytes, depth] = [file.u32(at + 6), file.u16(at + 10), file.u16(at + 12)];
  const root = file.address(at + 16);
  if (depth > maxDepth || recordBytes < 1 || nodeBytes < frameBytes + recordBytes)
    throw damaged(`the tree at byte ${at} is ${depth} deep, with nodes of ${nodeBytes} bytes`);
  if (root === undefined) return;
  const tree = { type, recordBytes, ...sizesOf(nodeBytes, recordBytes, depth) };
  yield* nodeRecords(file, tree, root, file.u16(at + 24), depth);
}

/** How many bytes numbers of records have, which depends on how many a node can hold. */
function sizesOf(nodeBytes: number, recordBytes: number, depth: number): Pick<Tree, 'countBytes' | 'totalBytes'> {
  const inLeaf = Math.floor((nodeBytes - frameBytes) / recordBytes);
  const countBytes = bytesFor(inLeaf);
  const totalBytes = [0];
  let most = inLeaf;
  for (let level = 1; level <= depth; level++) {
    const pointer = 8 + countBytes + (totalBytes[level - 1] as number);
    const own = Math.floor((nodeBytes - frameBytes - pointer) / (recordBytes + pointer));
    most = (own + 1) * most + own;
    totalBytes.push(bytesFor(most));
  }
  return { countBytes, totalBytes };
}

/** Bytes that a number up to a limit needs. */
export function bytesFor(limit: number): number {
  return Math.floor(Math.floor(Math.log2(Math.max(limit, 1))) / 8) + 1;
}

function* nodeRecords(file: Hdf5Bytes, tree: Tree, at: number, count: number, level: number): Generator<number> {
  file.expect(at, level === 0 ? 'BTLF' : 'BTIN');
  const start = at + nodeStart;
  for (let i = 0; i < count; i++) yield start + i * tree.recordBytes;
  if (level === 0) return;
  let next = start + count * tree.recordBytes;
  for (let child = 0; child <= count; child++) {
    const address = file.address(next);
    const inChild = file.uint(next + 8, tree.countBytes);
    next += 8 + tree.countBytes + (tree.totalBytes[level - 1] as number);
    if (address !== undefined) yield* nodeRecords(file, tree, address, inChild, level - 1);
  }
}
