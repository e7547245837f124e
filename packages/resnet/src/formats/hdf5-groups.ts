import { damaged, type Hdf5Bytes } from './hdf5-bytes.ts';
import { denseRecords } from './hdf5-dense.ts';
import { recordTypes } from './hdf5-tree2.ts';
import { messageTypes, type Message } from './hdf5-messages.ts';

/** An object in a group, by the address of its header. Links to names and to other files are left out. */
export interface Link {
  readonly name: string;
  readonly address: number;
}

/** The objects of a group; undefined when an object is none. */
export function readLinks(file: Hdf5Bytes, messages: readonly Message[]): readonly Link[] | undefined {
  const table = messages.find(({ type }) => type === messageTypes.symbolTable);
  if (table !== undefined) {
    const tree = file.address(table.at);
    const heap = file.address(table.at + 8);
    return tree === undefined || heap === undefined ? [] : tableLinks(file, tree, heap);
  }
  const info = messages.find(({ type }) => type === messageTypes.linkInfo);
  const links = messages.filter(({ type }) => type === messageTypes.link);
  if (info === undefined && links.length === 0) return undefined;
  const inHeader = links.flatMap(({ at }) => readLink(file, at));
  return info === undefined ? inHeader : [...inHeader, ...heapLinks(file, info.at)];
}

/** The links of a group of many. */
function heapLinks(file: Hdf5Bytes, info: number): readonly Link[] {
  const at = info + (file.u8(info + 1) & 1 ? 10 : 2);
  const links: Link[] = [];
  for (const { record, find } of denseRecords(file, at, recordTypes.linkByName)) {
    links.push(...readLink(file, find(record + 4).at));
    if (links.length > maxLinks) throw damaged(`a group has more than ${maxLinks} objects`);
  }
  return links;
}

function readLink(file: Hdf5Bytes, at: number): readonly Link[] {
  const flags = file.u8(at + 1);
  let next = at + 2;
  const type = flags & 8 ? file.u8(next++) : 0;
  if (flags & 4) next += 8;
  if (flags & 0x10) next += 1;
  const lengthBytes = 1 << (flags & 3);
  const length = file.uint(next, lengthBytes);
  next += lengthBytes;
  const address = type === 0 ? file.address(next + length) : undefined;
  return address === undefined ? [] : [{ name: file.text(next, length), address }];
}

const maxLinks = 100_000;
const maxDepth = 20;

function tableLinks(file: Hdf5Bytes, tree: number, heap: number): readonly Link[] {
  file.expect(heap, 'HEAP');
  const names = file.address(heap + 24) ?? 0;
  const namesEnd = names + file.u64(heap + 8);
  const links: Link[] = [];
  for (const node of leaves(file, tree, 0, 8)) {
    file.expect(node.address, 'SNOD');
    const count = file.u16(node.address + 6);
    for (let i = 0; i < count; i++) {
      const entry = node.address + 8 + 40 * i;
      const nameAt = names + file.u64(entry);
      const address = file.address(entry + 8);
      if (nameAt >= namesEnd) throw damaged(`a name lies outside its heap`);
      // 2 is a link to a name.
      if (address !== undefined && file.u32(entry + 16) !== 2)
        links.push({ name: file.terminatedText(nameAt), address });
      if (links.length > maxLinks) throw damaged(`a group has more than ${maxLinks} objects`);
    }
  }
  return links;
}

/** The children at the bottom of a version 1 B-tree, each with the place of its key. */
export function* leaves(
  file: Hdf5Bytes,
  at: number,
  type: 0 | 1,
  keyBytes: number,
  depth = 0,
): Generator<{ readonly key: number; readonly address: number }> {
  if (depth > maxDepth) throw damaged('a tree is too deep');
  file.expect(at, 'TREE');
  if (file.u8(at + 4) !== type) throw damaged(`the tree at byte ${at} is of another type`);
  const level = file.u8(at + 5);
  const count = file.u16(at + 6);
  for (let i = 0; i < count; i++) {
    const key = at + 24 + i * (keyBytes + 8);
    const address = file.address(key + keyBytes);
    if (address === undefined) continue;
    if (level === 0) yield { key, address };
    else yield* leaves(file, address, type, keyBytes, depth + 1);
  }
}
