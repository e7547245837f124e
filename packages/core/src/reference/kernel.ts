import { GraphError } from '../errors.ts';
import type { OpAttrs, OpKind } from '../ops/attrs.ts';
import type { TensorSpec } from '../tensor.ts';

/** A value at run time: its spec and its elements, unrounded. */
export interface Operand extends TensorSpec {
  readonly values: Float64Array;
}

/** The inputs, or the outputs, of one op by the names that its definition gives them. */
export class Operands {
  readonly #byName: ReadonlyMap<string, Operand>;

  constructor(named: Iterable<readonly [name: string, operand: Operand]>) {
    this.#byName = new Map(named);
  }

  /** An operand that the op always has. */
  get(name: string): Operand {
    const operand = this.#byName.get(name);
    if (operand === undefined) {
      throw new GraphError(
        `reference kernel asks for operand '${name}', but the op has ${[...this.#byName.keys()].join(', ')}`,
      );
    }
    return operand;
  }

  values(name: string): Float64Array {
    return this.get(name).values;
  }

  /** The elements of an operand that is present by attribute. */
  optional(name: string): Float64Array | undefined {
    return this.#byName.get(name)?.values;
  }

  map(change: (operand: Operand, name: string) => Operand): Operands {
    return new Operands([...this.#byName].map(([name, operand]) => [name, change(operand, name)] as const));
  }
}

/** Computes an op: writes every element of every output. Views have nothing to compute; updates write over their input. */
export type ReferenceKernel<K extends OpKind> = (inputs: Operands, outputs: Operands, attrs: OpAttrs[K]) => void;

export type ReferenceKernels = { readonly [K in OpKind]: ReferenceKernel<K> };
