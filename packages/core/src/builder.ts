import { GraphError, ShapeError } from './errors.ts';
import type { Graph, Op, Value, ValueId } from './graph.ts';
import type { OpAttrs, OpKind } from './ops/attrs.ts';
import { opDef } from './ops/index.ts';
import { formatSpec, type TensorSpec } from './tensor.ts';
import { validateGraph } from './validate.ts';

/**
 * Builds a {@link Graph} op by op, with shapes inferred and checked at each.
 *
 * ```ts
 * const build = new GraphBuilder('dense');
 * const x = build.input('x', { shape: [32, 64], dtype: 'f32' });
 * const kernel = build.input('kernel', { shape: [64, 10], dtype: 'f32' });
 * build.output('y', build.op('matMul', [x, kernel], { transposeA: false, transposeB: false }));
 * const graph = build.build();
 * ```
 */
export class GraphBuilder {
  readonly #name: string;
  readonly #values: Value[];
  readonly #ops: Op[];
  readonly #names: Set<string>;
  readonly #scopes: string[] = [];

  /** @param from  a graph to go on from; its value ids stay as they are */
  constructor(name: string, from?: Graph) {
    this.#name = name;
    this.#values = [...(from?.values ?? [])];
    this.#ops = [...(from?.ops ?? [])];
    this.#names = new Set(this.#values.flatMap((value) => value.name ?? []));
  }

  /** A named value that the caller binds to a tensor: an input, a parameter, or state. */
  input(name: string, spec: TensorSpec): ValueId {
    checkSizes(spec, `input '${name}' is`);
    this.#claim(name);
    return this.#value({ ...spec, name });
  }

  /** Names a computed value: it is written to the tensor that the caller binds to the name. */
  output(name: string, id: ValueId): void {
    const value = this.#get(id);
    if (value.name !== undefined)
      throw new GraphError(`output '${name}': value ${id} is already named '${value.name}'`);
    this.#claim(name);
    this.#values[id] = { ...value, name };
  }

  /** Adds an op and returns its first output. @throws {ShapeError} when the operands do not fit */
  op<K extends OpKind>(kind: K, inputs: readonly ValueId[], attrs: OpAttrs[K], label = ''): ValueId {
    const [first] = this.opOutputs(kind, inputs, attrs, label);
    if (first === undefined) throw new GraphError(`${kind} has no output`);
    return first;
  }

  /** Adds an op and returns all of its outputs. @throws {ShapeError} when the operands do not fit */
  opOutputs<K extends OpKind>(kind: K, inputs: readonly ValueId[], attrs: OpAttrs[K], label = ''): readonly ValueId[] {
    const path = [...this.#scopes, label].filter((part) => part !== '').join('/');
    const specs = inputs.map((id) => this.#get(id));
    const outputs = this.#infer(kind, specs, attrs, path).map((spec) => this.#value(spec));
    this.#ops.push({ kind, label: path, inputs: [...inputs], outputs, attrs } as unknown as Op);
    return outputs;
  }

  /** Puts `name/` in front of the labels of all ops that `body` adds. */
  scope<T>(name: string, body: () => T): T {
    this.#scopes.push(name);
    try {
      return body();
    } finally {
      this.#scopes.pop();
    }
  }

  /** Shape and element type of a value. */
  spec(id: ValueId): TensorSpec {
    const { shape, dtype } = this.#get(id);
    return { shape, dtype };
  }

  /** The graph so far, checked as a whole. @throws {GraphError} when a rule is broken */
  build(): Graph {
    const graph: Graph = { name: this.#name, values: [...this.#values], ops: [...this.#ops] };
    validateGraph(graph);
    return graph;
  }

  #infer<K extends OpKind>(
    kind: K,
    specs: readonly TensorSpec[],
    attrs: OpAttrs[K],
    path: string,
  ): readonly TensorSpec[] {
    const where = path === '' ? kind : `${kind} '${path}'`;
    const def = opDef(kind);
    const operands = def.operands(attrs);
    if (operands.length !== specs.length) {
      throw new ShapeError(
        `${where} takes ${operands.length} operands (${operands.join(', ')}), but got ${specs.length}`,
      );
    }
    try {
      const outputs = def.infer(specs, attrs);
      outputs.forEach((spec, i) => checkSizes(spec, `${def.results[i]} would be`));
      return outputs;
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      throw new ShapeError(`${where}: ${error.message}.`, { kind, label: path, inputs: specs.map(formatSpec) });
    }
  }

  #value(value: Omit<Value, 'id'>): ValueId {
    const id = this.#values.length;
    this.#values.push({ ...value, id });
    return id;
  }

  #get(id: ValueId): Value {
    const value = this.#values[id];
    if (value === undefined) throw new GraphError(`graph '${this.#name}' has no value ${id}`);
    return value;
  }

  #claim(name: string): void {
    if (name === '') throw new GraphError(`graph '${this.#name}': a name may not be empty`);
    if (this.#names.has(name))
      throw new GraphError(`graph '${this.#name}': two values are named '${name}'; names must be unique`);
    this.#names.add(name);
  }
}

function checkSizes(spec: TensorSpec, what: string): void {
  if (spec.shape.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new ShapeError(`sizes must be positive integers, but ${what} ${formatSpec(spec)}`);
  }
}
