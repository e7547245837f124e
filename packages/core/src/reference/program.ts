import type { OpReport, OpTiming, Profile, Program, ProgramReport } from '../backend.ts';
import type { CompiledGraph } from '../compiled-graph.ts';
import { DisposedError } from '../errors.ts';
import { valueOf, type Graph, type Op, type ValueId } from '../graph.ts';
import type { OpKind } from '../ops/attrs.ts';
import type { OpCost, OpDef } from '../ops/op-def.ts';
import { opDef } from '../ops/index.ts';
import { elementCount } from '../tensor.ts';
import { Operands, type Operand, type ReferenceKernels } from './kernel.ts';
import type { HostTensor } from './tensor.ts';

/** Of browsers and of Node: core is compiled without the types of either. */
declare const performance: { now(): number };

interface Step {
  readonly op: Op;
  run(): void;
}

/** A graph with an array for each value, run op by op. */
export class ReferenceProgram implements Program {
  readonly report: ProgramReport;
  readonly #graph: Graph;
  readonly #bindings: ReadonlyMap<string, HostTensor>;
  readonly #steps: readonly Step[];
  readonly #arena: readonly Float64Array[];
  readonly #guard: boolean;
  #disposed = false;

  constructor(
    { graph, recomputation }: CompiledGraph,
    bindings: ReadonlyMap<string, HostTensor>,
    kernels: ReferenceKernels,
    guard: boolean,
  ) {
    this.#graph = graph;
    this.#bindings = bindings;
    this.#guard = guard;
    const { operands, arena } = allocateValues(graph, bindings);
    this.#arena = arena;
    this.#steps = graph.ops.map((op) => ({ op, run: prepare(op, operands, kernels) }));
    this.report = {
      backend: 'reference',
      ops: graph.ops.map((op) => ({
        kind: op.kind,
        label: op.label,
        kernels: [`${op.kind}.reference`],
        cost: costOf(graph, op),
      })),
      arenaBytes: arena.reduce((bytes, values) => bytes + values.byteLength, 0),
      workspaceBytes: 0,
      recomputation,
    };
  }

  async run(): Promise<void> {
    this.#prepare('run');
    for (const step of this.#steps) step.run();
  }

  async profile(): Promise<Profile> {
    this.#prepare('profile');
    const ops = this.#steps.map((step, index): OpTiming => {
      const start = performance.now();
      step.run();
      return { ...(this.report.ops[index] as OpReport), milliseconds: performance.now() - start };
    });
    return { method: 'clock', ops };
  }

  /** @throws {DisposedError} */
  #prepare(action: string): void {
    const where = `${action} of graph '${this.#graph.name}'`;
    if (this.#disposed) throw new DisposedError(`${where}: the program has been disposed; compile it again.`);
    const gone = [...this.#bindings].filter(([, tensor]) => tensor.disposed).map(([name]) => name);
    if (gone.length > 0) {
      const names = gone.map((name) => `'${name}'`).join(', ');
      throw new DisposedError(`${where}: the tensors bound to ${names} have been disposed; compile with new ones.`, {
        names: gone,
      });
    }
    // An element that a kernel forgets to write then shows as NaN; each value has its own array, so nothing can be overwritten.
    if (this.#guard) for (const values of this.#arena) values.fill(Number.NaN);
  }

  dispose(): void {
    this.#disposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The array of each value: the bound tensor's, that of the input it shares, or a new one. */
function allocateValues(graph: Graph, bindings: ReadonlyMap<string, HostTensor>) {
  const shared = new Map<ValueId, ValueId>();
  for (const op of graph.ops) {
    for (const { output, input } of opDef(op.kind).aliases ?? [])
      shared.set(op.outputs[output] ?? -1, op.inputs[input] ?? -1);
  }
  const arena: Float64Array[] = [];
  const operands = new Map<ValueId, Operand>();
  const operandOf = (id: ValueId): Operand => {
    const known = operands.get(id);
    if (known !== undefined) return known;
    const value = valueOf(graph, id);
    const source = shared.get(id);
    let values = value.name === undefined ? undefined : bindings.get(value.name)?.values;
    if (values === undefined && source !== undefined) values = operandOf(source).values;
    if (values === undefined) arena.push((values = new Float64Array(elementCount(value.shape))));
    const operand: Operand = { shape: value.shape, dtype: value.dtype, values };
    operands.set(id, operand);
    return operand;
  };
  for (const value of graph.values) operandOf(value.id);
  return { operands, arena };
}

function prepare<K extends OpKind>(
  op: Op<K>,
  operands: ReadonlyMap<ValueId, Operand>,
  kernels: ReferenceKernels,
): () => void {
  const { kind, attrs } = op;
  const named = (names: readonly string[], ids: readonly ValueId[]): Operands =>
    new Operands(
      ids.flatMap((id, i) => {
        const operand = operands.get(id);
        return operand === undefined ? [] : [[names[i] ?? '', operand] as const];
      }),
    );
  const def: OpDef<K> = opDef(kind);
  const inputs = named(def.operands(attrs), op.inputs);
  const outputs = named(def.results, op.outputs);
  const kernel = kernels[kind];
  return () => kernel(inputs, outputs, attrs);
}

function costOf<K extends OpKind>(graph: Graph, op: Op<K>): OpCost {
  const specs = (ids: readonly ValueId[]) => ids.map((id) => valueOf(graph, id));
  return opDef<K>(op.kind).cost(specs(op.inputs), specs(op.outputs), op.attrs);
}
