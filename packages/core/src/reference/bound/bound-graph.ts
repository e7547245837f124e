import { valueOf, type Graph, type Op, type ValueId } from '../../graph.ts';
import type { OpKind } from '../../ops/attrs.ts';
import { opDef } from '../../ops/index.ts';
import { runOp, type OracleValues } from '../oracle.ts';
import { batchNormRules } from './batch-norm.ts';
import {
  at,
  clampedError,
  unitRoundoff,
  smallestNormal,
  type BoundContext,
  type BoundRules,
  type Errors,
} from './context.ts';
import { elementwiseRules } from './elementwise.ts';
import { imageRules } from './images.ts';
import { lossScaleRules } from './loss-scale.ts';
import { linearRules } from './linear.ts';
import { lossRules } from './loss.ts';
import { optimizerRules } from './optimizer.ts';
import { quantizedRules } from './quantized.ts';
import { spreadOperands, type KernelBound } from './spread.ts';

/** The bound of every op: a kind without one does not type-check. */
const rules: BoundRules = {
  ...linearRules,
  ...elementwiseRules,
  ...batchNormRules,
  ...lossRules,
  ...optimizerRules,
  ...imageRules,
  ...lossScaleRules,
  ...quantizedRules,
};

/** Per value of a graph, how far a backend's element may be from the oracle's; and Σ|terms|, the scale of its rounding. */
export interface GraphBounds {
  readonly error: ReadonlyMap<ValueId, Float64Array>;
  readonly scale: ReadonlyMap<ValueId, Float64Array>;
}

export interface BoundOptions {
  /** What the kernels of a kind of op claim; 1 where none is given. */
  readonly kernelBound?: (kind: OpKind) => KernelBound;
  /** 'inherited': errors run through the graph. 'local': each op as if its operands were exact. */
  readonly operands?: 'inherited' | 'local';
}

/**
 * Per-element error bounds of a graph run in f32, from the oracle's values: a running error analysis (Higham 2002, §3.3).
 * Inputs are exact, but for subnormals, which a backend may flush to zero.
 *
 * @throws {ValueError} when an op compares numbers that are not exact, so that its result may be anything
 */
export async function boundGraph(graph: Graph, values: OracleValues, options: BoundOptions = {}): Promise<GraphBounds> {
  const { kernelBound = () => 1, operands = 'inherited' } = options;
  const error = new Map<ValueId, Float64Array>();
  const scale = new Map<ValueId, Float64Array>();
  const exact = (id: ValueId): Float64Array => (values.get(id) ?? new Float64Array()).map(flushError);
  for (const op of graph.ops) {
    const own = kernelBound(op.kind);
    const errors = op.inputs.map((id) => (operands === 'local' ? undefined : error.get(id)) ?? exact(id));
    const context = await contextOf(graph, op, { values, errors, kernel: own });
    const bounds = await clampBelowZero(graph, op, values, await applyRule(op, context));
    opDef(op.kind).results.forEach((name, i) => {
      const id = op.outputs[i];
      const bound = bounds[name];
      if (id === undefined || bound === undefined) return;
      error.set(id, bound);
      scale.set(id, context.scale(name));
    });
  }
  return { error, scale };
}

const flushError = (value: number): number => (Math.abs(value) < smallestNormal ? Math.abs(value) : 0);

async function applyRule<K extends OpKind>(op: Op<K>, context: BoundContext): Promise<Errors> {
  return rules[op.kind](context, op.attrs);
}

/** A fused relu gives exactly zero where what it clamps is below zero by more than its error. */
async function clampBelowZero(graph: Graph, op: Op, values: OracleValues, bounds: Errors): Promise<Errors> {
  if (!('activation' in op.attrs) || op.attrs.activation === 'none') return bounds;
  const operands = op.inputs.map((id) => values.get(id) ?? new Float64Array());
  const [before] = await runOp('values', { graph, op, attrs: { ...op.attrs, activation: 'none' }, operands });
  const { y } = bounds;
  if (before === undefined || y === undefined) return bounds;
  return { ...bounds, y: y.map((error, i) => clampedError(at(before, i), error)) };
}

interface Known {
  readonly values: OracleValues;
  readonly errors: readonly Float64Array[];
  readonly kernel: KernelBound;
}

async function contextOf(graph: Graph, op: Op, { values, errors, kernel }: Known): Promise<BoundContext> {
  const names = operandNames(op);
  const { results } = opDef(op.kind);
  const position = (name: string): number => {
    const i = names.indexOf(name);
    if (i < 0) throw new RangeError(`${op.kind} has operands ${names.join(', ')}, but its bound asks for '${name}'`);
    return i;
  };
  const operand = (i: number): Float64Array => values.get(op.inputs[i] ?? -1) ?? new Float64Array();
  const { factor, operands } = spreadOperands(
    graph,
    op,
    op.inputs.map((_, i) => operand(i)),
    kernel,
  );
  const byName = (arrays: readonly Float64Array[]): Errors =>
    Object.fromEntries(results.map((name, i) => [name, arrays[i] ?? new Float64Array()]));
  const scales = byName(await runOp('magnitudes', { graph, op, operands }));
  const error = (name: string): Float64Array => errors[position(name)] ?? new Float64Array();
  return {
    u: factor * unitRoundoff,
    shape: (name) => valueOf(graph, op.inputs[position(name)] ?? -1).shape,
    has: (name) => names.includes(name),
    value: (name) => operand(position(name)),
    error,
    result: (name) => values.get(op.outputs[results.indexOf(name)] ?? -1) ?? new Float64Array(),
    scale: (name) => scales[name] ?? new Float64Array(),
    inexact: (...some) => some.some((name) => error(name).some((value) => value > 0)),
    magnitudes: async (replaced) =>
      byName(await runOp('magnitudes', { graph, op, operands: names.map((name, i) => replaced[name] ?? operand(i)) })),
  };
}

function operandNames<K extends OpKind>(op: Op<K>): readonly string[] {
  return opDef<K>(op.kind).operands(op.attrs);
}
