import {
  elementCount,
  GraphBuilder,
  opDef,
  type DType,
  type Graph,
  type OpAttrs,
  type OpKind,
  type TypedArray,
  type ValueId,
} from '@skiplane/core';

/** How an input of a case is filled. */
type Fill = 'signed' | 'positive' | 'oneHot' | 'byte';

/** Builds the graph of one case and draws the data of its inputs, the same on every run. */
export class CaseBuilder {
  readonly inputs: Record<string, TypedArray> = {};
  readonly #build: GraphBuilder;
  #state = 0x9e3779b9;

  constructor(name: string) {
    this.#build = new GraphBuilder(name);
  }

  /** Values between −1 and 1, or 0.1 and 1 when `positive`, or a 1 in each row when `oneHot`; i8 of all sizes when `byte`. */
  input(shape: readonly number[], fill: Fill = 'signed'): ValueId {
    return this.data(shape, this.#draw(shape, fill));
  }

  /** The given elements, of their own type. */
  data(shape: readonly number[], data: TypedArray): ValueId {
    const name = `input${Object.keys(this.inputs).length}`;
    this.inputs[name] = data;
    return this.#build.input(name, { shape, dtype: dtypeOf(data) });
  }

  op<K extends OpKind>(kind: K, inputs: readonly ValueId[], attrs: OpAttrs[K]): ValueId {
    return this.#build.op(kind, inputs, attrs);
  }

  /** Adds the op of the case: each result becomes an output, but for those that update an input in place. */
  check<K extends OpKind>(kind: K, inputs: readonly ValueId[], attrs: OpAttrs[K]): void {
    const updates =
      opDef(kind)
        .aliases?.filter((alias) => alias.kind === 'update')
        .map(({ output }) => output) ?? [];
    const results = this.#build.opOutputs(kind, inputs, attrs);
    results.forEach((id, index) => {
      if (!updates.includes(index)) this.#build.output(`output${index}`, id);
    });
  }

  graph(): Graph {
    return this.#build.build();
  }

  #draw(shape: readonly number[], fill: Fill): TypedArray {
    const data = new Float32Array(elementCount(shape));
    const columns = shape.at(-1) ?? 1;
    if (fill === 'oneHot') {
      for (let row = 0; row < data.length; row += columns) data[row + Math.floor(this.#next() * columns)] = 1;
      return data;
    }
    if (fill === 'byte') return Int8Array.from(data, () => Math.floor(255 * this.#next()) - 127);
    return data.map(() => (fill === 'positive' ? 0.1 + 0.9 * this.#next() : 2 * this.#next() - 1));
  }

  /** xorshift32, in [0, 1). */
  #next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) / 2 ** 32;
  }
}

function dtypeOf(data: TypedArray): DType {
  if (data instanceof Uint8Array) return 'u8';
  if (data instanceof Int8Array) return 'i8';
  return data instanceof Int32Array ? 'i32' : 'f32';
}
