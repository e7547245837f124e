import {
  fuse,
  inputValues,
  opDef,
  valueOf,
  type Backend,
  type Graph,
  type Op,
  type TypedArray,
  type ValueId,
} from '@skiplane/core';
import { nameValues, storageOf } from '@skiplane/core/reference';
import { runGraph, type Data } from '../run-graph.ts';
import { judge, type Both, type OpOutcome } from './judge.ts';
import { OpRunner } from './op-runner.ts';
import type { DiffProgram } from './programs.ts';

/** A backend by the name that the user gave. */
export interface Side {
  readonly name: string;
  readonly backend: Backend;
}

/** Called before each op with its place among all. */
export type OnOp = (done: number, total: number, op: Op) => void;

/**
 * Compares every op of a program on two backends. The program runs once on the first, with every value kept; then each op
 * gets its operands as that run left them, on either side and in the oracle. So errors do not add up from op to op,
 * and a relu near zero falls the same way for all.
 *
 * @returns the ops that compute something, in the order of the fused graph
 */
export async function compareOps(sides: Both<Side>, program: DiffProgram, onOp: OnOp): Promise<readonly OpOutcome[]> {
  const graph = nameValues(fuse(program.graph));
  const [first, second] = sides;
  const { values, report } = await runGraph(first.backend, graph, program.inputs, { fuse: false });
  const kept = keptValues(graph, program.inputs, values);
  using alone = new OpRunner(first.backend);
  using other = new OpRunner(second.backend);
  // A backend of float64 does not round between ops: what its program computed is not of the operands that `read` gives.
  const rounds = !first.backend.info.features.includes('float64');
  const outcomes: OpOutcome[] = [];
  for (const [index, op] of graph.ops.entries()) {
    if (isView(op)) continue;
    onOp(index, graph.ops.length, op);
    const operands = op.inputs.map((id) => kept.before(id));
    const inProgram = { results: op.outputs.map((id) => kept.after(id)), kernels: report.ops[index]?.kernels ?? [] };
    const own = rounds ? inProgram : await alone.run(graph, op, operands);
    const runs = [own, await other.run(graph, op, operands)] as const;
    outcomes.push(await judge({ graph, op, position: index + 1, operands, runs }));
  }
  return outcomes;
}

const isView = (op: Op): boolean => opDef(op.kind).aliases?.some(({ kind }) => kind === 'view') ?? false;

/** The elements of every value of a graph of which all values were kept; of state, before its update and after. */
function keptValues(graph: Graph, inputs: Data, results: Data) {
  const given = new Set(inputValues(graph).map(({ id }) => id));
  const find = (data: Data, id: ValueId): TypedArray => {
    const found = data.get(valueOf(graph, id).name ?? '');
    if (found === undefined) throw new RangeError(`the run of graph '${graph.name}' kept nothing of value ${id}`);
    return found;
  };
  return {
    before(id: ValueId): TypedArray {
      const storage = storageOf(graph, id);
      return find(given.has(storage) ? inputs : results, storage);
    },
    after: (id: ValueId): TypedArray => find(results, storageOf(graph, id)),
  };
}
