import { exactBiasGradients } from './exact-bias-gradients.ts';
import { readersOf, valueOf, type Graph, type Op, type ValueId } from './graph.ts';
import type { OpAttrs, OpKind } from './ops/attrs.ts';
import { opDef } from './ops/index.ts';
import { prune } from './prune.ts';
import { viewSources } from './views.ts';

/**
 * Rewrites a graph so that cheap ops ride in the epilogue of the op that computes their operand:
 *
 * - conv2d ← biasAdd, add (residual), relu
 * - batchNormTraining, batchNormInference ← add, relu
 * - conv2dBackpropInput ← add, reluGrad
 * - batchNormGrad ← add
 *
 * after biases that only batch norms see have got their exact gradient: see {@link exactBiasGradients}.
 *
 * An op is absorbed only when nothing else reads the value in between and the value has no name.
 */
export function fuse(original: Graph): Graph {
  const graph = exactBiasGradients(original);
  const readers = readersOf(graph);
  const source = viewSources(graph);
  const ops: Op[] = [];
  for (const op of graph.ops) {
    const producers = candidates(op).flatMap((input) => {
      const id = op.inputs[input] as ValueId;
      if (readers[id]?.length !== 1 || valueOf(graph, id).name !== undefined) return [];
      const at = ops.findLastIndex((other) => other.outputs[0] === id);
      return at >= 0 ? [{ input, at }] : [];
    });
    // Of two producers the later one absorbs the op: the other's result is there by then.
    const best = producers
      .toSorted((a, b) => b.at - a.at)
      .map(({ input, at }) => ({ at, fused: absorb(ops[at] as Op, op, input) }))
      .find(({ at, fused }) => fused !== undefined && canMoveToEnd(ops, at, source));
    if (best?.fused !== undefined) {
      ops.splice(best.at, 1);
      ops.push(best.fused);
    } else ops.push(op);
  }
  return prune(graph, ops);
}

/** Operands whose producer might absorb the op. */
function candidates(op: Op): readonly number[] {
  if (op.kind === 'add') return [0, 1];
  return op.kind === 'biasAdd' || op.kind === 'relu' || op.kind === 'reluGrad' ? [0] : [];
}

/** `producer` with `op`, which reads its first output as operand `input`, in its epilogue; undefined where that cannot be. */
function absorb(producer: Op, op: Op, input: number): Op | undefined {
  const other = op.inputs[1 - input] as ValueId;
  // An epilogue cannot read what its own op computes, such as the mean of a batch norm.
  if (producer.outputs.includes(other)) return undefined;
  const fused = <K extends OpKind>(original: Op<K>, attrs: Partial<OpAttrs[K]>, extra: readonly ValueId[]): Op =>
    ({
      ...original,
      inputs: [...original.inputs, ...extra],
      outputs: [...op.outputs, ...original.outputs.slice(1)],
      attrs: { ...original.attrs, ...attrs },
    }) as unknown as Op;
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- most kinds absorb nothing
  switch (producer.kind) {
    case 'conv2d': {
      const { bias, residual, activation } = producer.attrs;
      if (activation !== 'none') return undefined;
      if (op.kind === 'relu') return fused(producer, { activation: 'relu' }, []);
      if (residual) return undefined;
      if (op.kind === 'biasAdd') return bias ? undefined : fused(producer, { bias: true }, [other]);
      return op.kind === 'add' ? fused(producer, { residual: true }, [other]) : undefined;
    }
    case 'batchNormTraining':
    case 'batchNormInference': {
      const { residual, activation } = producer.attrs;
      if (activation !== 'none') return undefined;
      if (op.kind === 'relu') return fused(producer, { activation: 'relu' }, []);
      return op.kind === 'add' && !residual ? fused(producer, { residual: true }, [other]) : undefined;
    }
    case 'conv2dBackpropInput': {
      const { residual, activationGrad } = producer.attrs;
      if (activationGrad !== 'none') return undefined;
      if (op.kind === 'reluGrad') return fused(producer, { activationGrad: 'relu' }, [other]);
      return op.kind === 'add' && !residual ? fused(producer, { residual: true }, [other]) : undefined;
    }
    case 'batchNormGrad':
      return op.kind === 'add' && !producer.attrs.residual ? fused(producer, { residual: true }, [other]) : undefined;
    default:
      return undefined;
  }
}

/** Whether the op at `at` may run after all others so far: none of them reads its further outputs or updates what it reads. */
function canMoveToEnd(ops: readonly Op[], at: number, source: (id: ValueId) => ValueId): boolean {
  const moved = ops[at] as Op;
  const outputs = new Set(moved.outputs);
  const read = new Set(moved.inputs.map(source));
  return ops.slice(at + 1).every((op) => {
    const updates = opDef(op.kind).aliases?.filter((alias) => alias.kind === 'update') ?? [];
    return (
      !op.inputs.some((id) => outputs.has(id)) && !updates.some((alias) => read.has(op.inputs[alias.input] as ValueId))
    );
  });
}
