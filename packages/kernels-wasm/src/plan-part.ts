import {
  opDef,
  planMemory,
  valueOf,
  type Graph,
  type MemoryPlan,
  type Op,
  type OpKind,
  type ValueId,
} from '@skiplane/core';
import { loweringOf } from './lower/index.ts';
import { align, type LowerOptions, type Lowering } from './lower/lowering.ts';
import type { Part } from './parts.ts';
import { oneByOne, type OpWork, type Schedule, type Scheduler } from './schedule.ts';
import { guardBytes } from './tensor.ts';

/** A part with its kernels chosen and its values planned. */
export interface PlannedPart extends Part {
  /** By op, as are the next. */
  readonly lowered: readonly Lowering[];
  /** Bytes of the operand in another layout, where it is packed ahead of runs, since no run changes it; else 0. */
  readonly packedAhead: readonly number[];
  readonly schedule: Schedule;
  readonly plan: MemoryPlan;
}

/**
 * @param changed  the values that are not packed ahead: at least those that a run changes
 * @param scheduler  of records that are not in chunks already
 */
export function planPart(
  part: Part,
  options: LowerOptions,
  guard: boolean,
  changed: ReadonlySet<ValueId>,
  scheduler: Scheduler,
): PlannedPart {
  const { graph, chunks } = part;
  const own = chunks === null ? options : { ...options, threads: 1 };
  const lowered = graph.ops.map((op) => lower(graph, op, own));
  const packedAhead = lowered.map(({ packing }, index) =>
    packing === undefined || changed.has(graph.ops[index]?.inputs[packing.input] as ValueId) ? 0 : packing.bytes,
  );
  const schedule = (chunks === null ? scheduler : oneByOne)(
    graph,
    lowered.map((lowering, index) => workOf(lowering, packedAhead[index] !== 0)),
    own.threads,
  );
  const plan = planMemory(graph, {
    slots: schedule.slots,
    alignment: 64,
    gap: guard ? guardBytes : 0,
    workspaceBytes: lowered.map(({ workspaceBytes, packing }, index) =>
      packing === undefined || packedAhead[index] !== 0 ? workspaceBytes : align(workspaceBytes) + packing.bytes,
    ),
  });
  return { ...part, lowered, packedAhead, schedule, plan };
}

/** What an op does, before its operands have addresses. */
function workOf(lowering: Lowering, packedAhead: boolean): OpWork {
  const { packing } = lowering;
  const anywhere = { input: () => align(1), output: () => align(1), workspace: align(1), packed: align(1) };
  const packs = packing === undefined || packedAhead ? [] : packing.records(align(1), align(1));
  const records = lowering.records(anywhere);
  const units = Math.max(1, ...records.slice(0, 1).map(({ tasks, sequence }) => tasks / sequence));
  const kept = (packing?.bytes ?? 0) + lowering.workspaceBytes / units;
  return { packs: packs.length, packed: packing?.input ?? 0, kept, records: [...packs, ...records] };
}

/** All values: what is packed in each run, in memory that ops share, takes less of it than what is packed ahead. */
export const allValues = (graph: Graph): ReadonlySet<ValueId> => new Set(graph.values.map(({ id }) => id));

/** Scratch memory of a thread, for whatever op. */
export const scratchBytesOf = (parts: readonly PlannedPart[]): number =>
  align(Math.max(0, ...parts.flatMap(({ lowered }) => lowered.map(({ scratchBytes }) => scratchBytes)))) + guardBytes;

/** The values that a run changes: all that is computed, and tensors that are updated. */
export function changedValues(graph: Graph): ReadonlySet<ValueId> {
  const changed = new Set<ValueId>();
  for (const op of graph.ops) {
    op.outputs.forEach((id) => changed.add(id));
    for (const { kind, input } of opDef(op.kind).aliases ?? []) {
      if (kind === 'update') changed.add(op.inputs[input] as ValueId);
    }
  }
  return changed;
}

function lower<K extends OpKind>(graph: Graph, op: Op<K>, options: LowerOptions): Lowering {
  const specs = (ids: readonly ValueId[]) => ids.map((id) => valueOf(graph, id));
  return loweringOf(op.kind)({
    attrs: op.attrs as never,
    inputs: specs(op.inputs),
    outputs: specs(op.outputs),
    options,
  });
}
