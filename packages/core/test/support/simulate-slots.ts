import { opDef, type Graph, type OpKind, type SlotPlan, type ValueId } from '../../src/index.ts';

/**
 * Runs a graph on symbols: each slot holds the id of the value last written there. Returns what an op would read wrongly under
 * the plan, or write while it reads: the definition of a correct plan, without any talk of lifetimes.
 */
export function simulateSlots(graph: Graph, plan: SlotPlan): readonly string[] {
  const problems: string[] = [];
  /** What a slot holds: a value, or the workspace of an op that has ended. */
  const contents = new Map<number, ValueId | 'workspace'>();
  /** A view shows the contents of another value. */
  const shown = new Map<ValueId, ValueId>();
  const contentOf = (id: ValueId): ValueId => shown.get(id) ?? id;
  const slotOf = (id: ValueId): number | undefined => {
    const storage = plan.storage.get(id);
    if (storage === undefined) throw new RangeError(`value ${id} has no storage`);
    return storage.kind === 'slot' ? storage.slot : undefined;
  };

  graph.ops.forEach((op, index) => {
    const aliased = new Set(opDef<OpKind>(op.kind).aliases?.map(({ output }) => output));
    for (const id of op.inputs) {
      const slot = slotOf(id);
      if (slot === undefined || contents.get(slot) === contentOf(id)) continue;
      const found = contents.get(slot);
      problems.push(
        `op ${index} reads value ${id}, but its slot holds ${typeof found === 'number' ? `value ${found}` : found}`,
      );
    }
    const reading = new Map(op.inputs.map((id) => [slotOf(id), id]));
    const writing = new Set<number>();
    const write = (slot: number, content: ValueId | 'workspace'): void => {
      const read = reading.get(slot);
      if (read !== undefined) problems.push(`op ${index} writes to the slot of value ${read}, which it reads`);
      if (writing.has(slot)) problems.push(`op ${index} writes to slot ${slot} twice`);
      writing.add(slot);
      contents.set(slot, content);
    };
    for (const slot of plan.workspaces[index] ?? []) write(slot, 'workspace');
    op.outputs.forEach((id, position) => {
      if (aliased.has(position)) shown.set(id, contentOf(op.inputs[0] ?? -1));
      else {
        const slot = slotOf(id);
        if (slot !== undefined) write(slot, id);
      }
    });
  });
  return problems;
}
