import {
  opDef,
  SkiplaneError,
  valueOf,
  type Graph,
  type Op,
  type OpKind,
  type OpReport,
  type SlotPlan,
  type SlotStorage,
  type Value,
  type ValueId,
} from '@skiplane/core';
import { lowerings } from './lower/index.ts';
import { maxWorkgroups, type Dispatch, type Lower, type LowerOptions, type Lowering } from './lower/lowering.ts';
import { shaderOf } from './shader.ts';

/** One kernel call and the op it belongs to. */
export interface Call {
  readonly op: Op;
  /** Of the op in its graph. */
  readonly index: number;
  readonly dispatch: Dispatch;
}

export function lowerGraph(graph: Graph, options: LowerOptions): readonly Lowering[] {
  return graph.ops.map((op) => lower(graph, op, options));
}

function lower<K extends OpKind>(graph: Graph, op: Op<K>, options: LowerOptions): Lowering {
  const rule = lowerings[op.kind] as unknown as Lower<K>;
  const { inputs, outputs } = specsOf(graph, op);
  return rule({ attrs: op.attrs as never, inputs, outputs, options });
}

function specsOf(graph: Graph, op: Pick<Op, 'inputs' | 'outputs'>) {
  const specs = (ids: readonly ValueId[]) => ids.map((id) => valueOf(graph, id));
  return { inputs: specs(op.inputs), outputs: specs(op.outputs) };
}

/** The kernel calls of a graph, in order. */
export function callsOf(graph: Graph, lowered: readonly Lowering[]): readonly Call[] {
  return graph.ops.flatMap((op, index) =>
    (lowered[index]?.dispatches ?? []).map((dispatch): Call => ({ op, index, dispatch })),
  );
}

/** The storage of each of a call's operands, in order of its bindings. */
export function operandsOf(plan: SlotPlan, { op, index, dispatch }: Call): readonly SlotStorage[] {
  const storage = (id: ValueId | undefined) => (id === undefined ? undefined : plan.storage.get(id));
  return dispatch.bindings.map((binding) => {
    const slot = plan.workspaces[index]?.[binding.index];
    const workspace: SlotStorage | undefined = slot === undefined ? undefined : { kind: 'slot', slot };
    const found =
      binding.kind === 'workspace'
        ? workspace
        : storage((binding.kind === 'input' ? op.inputs : op.outputs)[binding.index]);
    if (found === undefined)
      throw new SkiplaneError('KERNEL', `${describeCall({ op, dispatch })} has no ${binding.kind} ${binding.index}.`);
    return found;
  });
}

/** Bindings of a call, by number, whose values are held as f16. */
export function halfBindings(halves: ReadonlySet<ValueId>, { op, dispatch }: Call): readonly number[] {
  return dispatch.bindings.flatMap(({ kind, index }, binding) => {
    const id = kind === 'workspace' ? undefined : (kind === 'input' ? op.inputs : op.outputs)[index];
    return id !== undefined && halves.has(id) ? [binding] : [];
  });
}

/**
 * Checks what a device would refuse or, worse, accept: operands in number, inputs bound for writing, a storage bound for writing
 * and once more, counts of workgroups. @throws {SkiplaneError}
 */
export function checkCall(call: Call, operands: readonly SlotStorage[]): void {
  const { dispatch } = call;
  const accesses = shaderOf(dispatch.shader).bindings;
  const refuse = (problem: string): never => {
    throw new SkiplaneError('KERNEL', `${describeCall(call)} ${problem}.`);
  };
  const updated = opDef<OpKind>(call.op.kind).aliases?.filter(({ kind }) => kind === 'update') ?? [];
  if (operands.length !== accesses.length) refuse(`binds ${operands.length} operands, but takes ${accesses.length}`);
  const keys = operands.map((operand) => (operand.kind === 'slot' ? `slot ${operand.slot}` : `'${operand.name}'`));
  dispatch.bindings.forEach(({ kind, index }, i) => {
    if (kind === 'input' && accesses[i] === 'read_write' && !updated.some(({ input }) => input === index)) {
      refuse(`writes to ${keys[i]}, input ${index}, which the op does not update`);
    }
  });
  accesses.forEach((access, i) => {
    if (access === 'read_write' && keys.some((key, other) => other !== i && key === keys[i])) {
      refuse(`binds ${keys[i]} twice, once of them to write`);
    }
  });
  if (dispatch.workgroups.some((count) => !Number.isInteger(count) || count < 1 || count > maxWorkgroups)) {
    refuse(`asks for ${dispatch.workgroups.join('×')} workgroups, but each count must be 1 to ${maxWorkgroups}`);
  }
}

/** A call in words, for labels and errors. */
export function describeCall({ op, dispatch }: Pick<Call, 'op' | 'dispatch'>): string {
  return `${op.kind} '${op.label}', kernel ${dispatch.shader},`;
}

/** Something that must fit into one buffer. */
export interface Piece {
  readonly what: string;
  readonly bytes: number;
  /** Whether the caller's tensor holds it. */
  readonly named: boolean;
}

/** Everything that needs a buffer: named and unnamed values, and workspaces. */
export function piecesOf(
  graph: Graph,
  lowered: readonly Lowering[],
  bytesOf: (value: Value) => number,
): readonly Piece[] {
  const labels = new Map(graph.ops.flatMap((op) => op.outputs.map((id) => [id, `${op.kind} '${op.label}'`] as const)));
  const values = graph.values.map((value): Piece => {
    const what = value.name ?? `the result of ${labels.get(value.id) ?? 'an op'}`;
    return { what: `${what} [${value.shape.join(',')}]`, bytes: bytesOf(value), named: value.name !== undefined };
  });
  const workspaces = graph.ops.flatMap((op, index) =>
    (lowered[index]?.workspaces ?? []).map((bytes): Piece => ({
      what: `a workspace of ${op.kind} '${op.label}'`,
      bytes,
      named: false,
    })),
  );
  return [...values, ...workspaces];
}

/** @param halves  values held as f16: kernels that read or write one are reported with the suffix `.f16` */
export function reportOps(
  graph: Graph,
  lowered: readonly Lowering[],
  halves: ReadonlySet<ValueId>,
): readonly OpReport[] {
  return graph.ops.map((op, index): OpReport => {
    const { inputs, outputs } = specsOf(graph, op);
    const def = opDef<OpKind>(op.kind);
    const cost = def.cost(inputs, outputs, op.attrs);
    const { kernels = [], dispatches = [] } = lowered[index] ?? {};
    const half = dispatches.some((dispatch) => halfBindings(halves, { op, index, dispatch }).length > 0);
    return {
      kind: op.kind,
      label: op.label,
      kernels: kernels.map((kernel) => (half ? `${kernel}.f16` : kernel)),
      cost,
    };
  });
}
