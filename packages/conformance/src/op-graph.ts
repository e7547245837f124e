import {
  allocate,
  GraphBuilder,
  opDef,
  type DType,
  type Graph,
  type OpKind,
  type TypedArray,
  type ValueId,
} from '@skiplane/core';
import type { CaseSpec, OpCases } from './cases/op-cases.ts';
import { fillData } from './data.ts';

/**
 * Where the operands and results of the op under test live: in the caller's tensors, or in the program's arena, where an op
 * may work in place, a block is used again and again, and guards lie between.
 */
export type Placement = 'tensors' | 'arena';

export interface GraphCase {
  readonly graph: Graph;
  readonly inputs: ReadonlyMap<string, TypedArray>;
}

/** Label of the ops that only move values into the arena and out of it. */
export const copyLabel = 'copy';

function converted(data: Float32Array, dtype: DType = 'f32'): TypedArray {
  if (dtype === 'f32') return data;
  const typed = allocate(dtype, data.length);
  typed.set(data);
  return typed;
}

/** A graph of one op: operands and results under the names of the op's definition. */
export async function opGraph<K extends OpKind>(
  kind: K,
  spec: CaseSpec<K>,
  { derive }: Pick<OpCases<K>, 'derive'>,
  placement: Placement,
): Promise<GraphCase> {
  const def = opDef(kind);
  const names = def.operands(spec.attrs);
  const filled = spec.operands.map(({ shape, fill }) => fillData(shape, fill));
  const data = derive === undefined ? filled : await derive(spec.attrs, filled, spec);

  const build = new GraphBuilder(`${kind} in ${placement}`);
  // An exact copy, which is all it takes to put a value into the arena.
  const copy = (id: ValueId): ValueId => build.op('affine', [id], { scale: 1, offset: 0 }, copyLabel);
  const aliases = def.aliases ?? [];
  const updated = (input: number): boolean => aliases.some((alias) => alias.kind === 'update' && alias.input === input);
  // Only f32 can be copied: all else is always the caller's.
  const ids = spec.operands.map(({ shape, dtype = 'f32' }, i) => {
    const id = build.input(names[i] ?? `operand ${i}`, { shape, dtype });
    return placement === 'arena' && dtype === 'f32' && !updated(i) ? copy(id) : id;
  });
  build.opOutputs(kind, ids, spec.attrs, 'tested').forEach((id, i) => {
    const alias = aliases.find(({ output }) => output === i);
    if (alias?.kind === 'update') return;
    // A view has no storage of its own to name.
    const copied = (placement === 'arena' || alias?.kind === 'view') && build.spec(id).dtype === 'f32';
    build.output(def.results[i] ?? `result ${i}`, copied ? copy(id) : id);
  });
  const inputs = names.map(
    (name, i) => [name, converted(data[i] ?? new Float32Array(), spec.operands[i]?.dtype)] as const,
  );
  return { graph: build.build(), inputs: new Map(inputs) };
}
