import { byteLength, valueOf, type Op, type ValueId } from '@skiplane/core';
import { align, type Addresses, type KernelRecord, type Lowering } from './lower/lowering.ts';
import type { PlannedPart } from './plan-part.ts';
import type { WasmTensor } from './tensor.ts';

/** An operand that is another share of its tensor in every chunk: word `word` of record `record` is base + image·step. */
export interface Move {
  readonly record: number;
  readonly word: number;
  readonly base: number;
  readonly step: number;
}

/** Where the operands of a part are. */
export interface Places {
  readonly tensors: ReadonlyMap<string, WasmTensor>;
  readonly arena: number;
  /** By op; 0 for what is not packed ahead. */
  readonly packed: readonly number[];
}

/** The records of each op. @param image  the first image of the chunk */
export function recordsOf(part: PlannedPart, places: Places, image = 0): readonly (readonly KernelRecord[])[] {
  return part.graph.ops.map((op, index) => {
    const lowering = part.lowered[index] as Lowering;
    const { packing, workspaceBytes } = lowering;
    const at = addresses(part, op, index, places, image);
    if (packing === undefined || part.packedAhead[index] !== 0) return lowering.records(at);
    const packed = at.workspace + align(workspaceBytes);
    return [...packing.records(at.input(packing.input), packed), ...lowering.records({ ...at, packed })];
  });
}

/** What differs between the records of one image and the next. */
export function movesOf(part: PlannedPart, places: Places): readonly Move[] {
  const next = recordsOf(part, places, 1).flat();
  return recordsOf(part, places)
    .flat()
    .flatMap(({ words }, record) =>
      words.flatMap(([, base], word) => {
        const step = (next[record]?.words[word]?.[1] ?? base) - base;
        return step === 0 ? [] : [{ record, word, base, step }];
      }),
    );
}

function addresses(part: PlannedPart, op: Op, index: number, places: Places, image: number): Addresses {
  const { graph, plan, batched } = part;
  const addressOf = (id: ValueId): number => {
    const storage = plan.storage.get(id);
    if (storage === undefined) throw new RangeError(`value ${id} of graph '${graph.name}' has no storage`);
    if (storage.kind === 'arena') return places.arena + storage.offset;
    const value = valueOf(graph, id);
    const share = batched.has(id) ? byteLength(value) / (value.shape[0] ?? 1) : 0;
    return (places.tensors.get(storage.name) as WasmTensor).offset + image * share;
  };
  return {
    input: (position) => addressOf(op.inputs[position] as ValueId),
    output: (position) => addressOf(op.outputs[position] as ValueId),
    workspace: places.arena + (plan.workspace[index] ?? 0),
    packed: places.packed[index] ?? 0,
  };
}
