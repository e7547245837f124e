import type { Hdf5Bytes } from './hdf5-bytes.ts';
import { openHeap } from './hdf5-heap.ts';
import { records } from './hdf5-tree2.ts';

/** A record of the tree, by its offset, and where the heap has what an identifier within it names. */
interface DenseRecord {
  readonly record: number;
  readonly find: ReturnType<typeof openHeap>;
}

/** What an object has too much of for its header: a heap, and a tree that points into it, whose addresses are at `at`. */
export function* denseRecords(file: Hdf5Bytes, at: number, type: number): Generator<DenseRecord> {
  const [heap, tree] = [file.address(at), file.address(at + 8)];
  if (heap === undefined || tree === undefined) return;
  const find = openHeap(file, heap);
  for (const record of records(file, tree, type)) yield { record, find };
}
