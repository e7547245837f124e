import {
  BindingError,
  type Backend,
  type CompileOptions,
  type Graph,
  type Program,
  type Tensor,
  type TypedArray,
} from '@skiplane/core';

/** A compiled graph together with the tensors that belong to it alone. */
export class BoundProgram implements Disposable {
  readonly program: Program;
  readonly #own: ReadonlyMap<string, Tensor>;

  private constructor(program: Program, own: ReadonlyMap<string, Tensor>) {
    this.program = program;
    this.#own = own;
  }

  /**
   * Compiles a graph on tensors that are shared with other programs, and new ones for the names that have none.
   * @param shared  by name; names that the graph lacks are left alone
   */
  static async compile(
    backend: Backend,
    graph: Graph,
    shared: ReadonlyMap<string, Tensor>,
    options?: CompileOptions,
  ): Promise<BoundProgram> {
    const bindings = new Map<string, Tensor>();
    const own = new Map<string, Tensor>();
    try {
      for (const value of graph.values) {
        if (value.name === undefined) continue;
        const tensor = shared.get(value.name) ?? backend.tensor(value);
        if (!shared.has(value.name)) own.set(value.name, tensor);
        bindings.set(value.name, tensor);
      }
      return new BoundProgram(await backend.compile(graph, bindings, options), own);
    } catch (error) {
      for (const tensor of own.values()) tensor.dispose();
      throw error;
    }
  }

  /** A tensor of this program's own. @throws {BindingError} when it has none of the name */
  tensor(name: string): Tensor {
    const tensor = this.#own.get(name);
    if (tensor === undefined)
      throw new BindingError(
        `the program has no tensor '${name}' of its own; it has ${[...this.#own.keys()].join(', ')}.`,
      );
    return tensor;
  }

  /** Whether there is a tensor of this program's own with the name. */
  has(name: string): boolean {
    return this.#own.has(name);
  }

  write(name: string, data: TypedArray): void {
    this.tensor(name).write(data);
  }

  dispose(): void {
    this.program.dispose();
    for (const tensor of this.#own.values()) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
