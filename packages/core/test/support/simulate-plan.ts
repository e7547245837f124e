import { byteLength, opDef, valueOf, type Graph, type MemoryPlan, type OpKind, type ValueId } from '../../src/index.ts';

/**
 * Runs a graph on symbols in place of numbers: each byte of the arena holds the id of the value last written there. Returns
 * what an op would read wrongly under the plan: the definition of a correct plan, without any talk of lifetimes.
 */
export function simulatePlan(
  graph: Graph,
  plan: MemoryPlan,
  workspaceBytes: readonly number[] = [],
): readonly string[] {
  const problems: string[] = [];
  const arena = new Int32Array(plan.arenaBytes).fill(-1);
  /** A view holds the contents of what it shows. */
  const contents = new Map<ValueId, ValueId>();
  const contentOf = (id: ValueId): ValueId => contents.get(id) ?? id;
  const range = (id: ValueId): Int32Array | undefined => {
    const storage = plan.storage.get(id);
    if (storage === undefined) throw new RangeError(`value ${id} has no storage`);
    if (storage.kind === 'tensor') return undefined;
    return arena.subarray(storage.offset, storage.offset + byteLength(valueOf(graph, id)));
  };
  const expectContent = (id: ValueId, when: string): void => {
    if (range(id)?.some((content) => content !== contentOf(id)) === true)
      problems.push(`value ${id} is damaged ${when}`);
  };

  graph.ops.forEach((op, index) => {
    const def = opDef<OpKind>(op.kind);
    const views = new Set(def.aliases?.filter(({ kind }) => kind === 'view').map(({ output }) => output));
    op.inputs.forEach((id) => expectContent(id, `before op ${index}`));
    const workspace = plan.workspace[index];
    if (workspace !== undefined) arena.subarray(workspace, workspace + (workspaceBytes[index] ?? 0)).fill(-2 - index);
    op.outputs.forEach((id, position) => {
      if (views.has(position)) contents.set(id, contentOf(op.inputs[0] ?? -1));
      else range(id)?.fill(id);
    });
    if (workspace !== undefined) {
      const scratch = arena.subarray(workspace, workspace + (workspaceBytes[index] ?? 0));
      if (scratch.some((content) => content !== -2 - index))
        problems.push(`workspace of op ${index} overlaps its results`);
    }
    op.outputs.forEach((id) => expectContent(id, `by op ${index}, which computes it`));
    // An op reads its operands while it writes; only the one that it may overwrite element by element can be gone.
    op.inputs.forEach((id, position) => {
      const output = op.outputs[def.inPlace?.output ?? -1];
      const overwritten =
        position === def.inPlace?.input && output !== undefined && range(id)?.byteOffset === range(output)?.byteOffset;
      if (!overwritten) expectContent(id, `while op ${index} reads it`);
    });
  });
  return problems;
}
