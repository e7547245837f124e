import {
  gradients,
  GraphBuilder,
  inputValues,
  opDef,
  valueOf,
  type Graph,
  type TypedArray,
  type ValueId,
} from '@skiplane/core';
import { runOp } from '@skiplane/core/reference';
import { lossGraph, parameterSpecs, type BatchBuffers, type Model, type Parameters } from '@skiplane/resnet';

export type Numbers = ArrayLike<number>;
export type Results = Readonly<Record<string, Numbers>>;

const isZero = (value: number | undefined): boolean => value === 0;

export const squares = (values: Numbers): number => Array.from(values).reduce((sum, value) => sum + value ** 2, 0);

/** ‖actual − expected‖ / ‖expected‖, over the elements of several results. */
export function distance(names: readonly string[], actual: Results, expected: Results): number {
  let [difference, whole] = [0, 0];
  for (const name of names) {
    const wanted = expected[name] ?? [];
    difference += squares(Array.from(wanted, (value, i) => (actual[name]?.[i] ?? Number.NaN) - value));
    whole += squares(wanted);
  }
  return Math.sqrt(difference / whole);
}

/** Unit roundoff of f16. */
export const u = 2 ** -11;

/** What training begins with. */
export const lossScale = 2 ** 15;

export interface Net {
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, TypedArray>>;
  /** The results that are gradients of parameters. */
  readonly gradients: readonly string[];
  /** The results of activations, whose zeros mask the gradients, by their copies' names. */
  readonly masks: ReadonlyMap<string, ValueId>;
}

/** Logits, loss, the gradients of all parameters by way of a scaled loss, and copies of what masks them. */
export function network(model: Model, parameters: Parameters, batch: number, buffers: BatchBuffers): Net {
  const specs = parameterSpecs(model);
  const forward = lossGraph(model, { batch });
  const trainable = new Set(specs.filter((spec) => spec.trainable).map((spec) => spec.name));
  const wrt = inputValues(forward.graph).filter((value) => trainable.has(value.name ?? ''));
  const scaled = new GraphBuilder(forward.graph.name, forward.graph);
  const loss = scaled.op('affine', [forward.loss], { scale: lossScale, offset: 0 });
  const ids = wrt.map(({ id }) => id);
  const backward = gradients(scaled.build(), loss, ids);
  const build = new GraphBuilder(forward.graph.name, backward.graph);
  const copy = (to: string, id: number, scale = 1) => build.output(to, build.op('affine', [id], { scale, offset: 0 }));
  copy('logits', forward.logits);
  copy('loss', forward.loss);
  wrt.forEach((value, i) => copy(`d/${value.name}`, backward.gradients[i] ?? -1, 1 / lossScale));
  const masks = new Map<string, ValueId>();
  for (const { kind, inputs } of backward.graph.ops) {
    const y = inputs[1];
    if (kind === 'reluGrad' && y !== undefined) masks.set(`mask/${y}`, y);
  }
  for (const [name, id] of masks) copy(name, id);
  const inputs = { ...Object.fromEntries(parameters), x: buffers.images, labels: buffers.labels };
  return { graph: build.build(), inputs, gradients: wrt.map((value) => `d/${value.name}`), masks };
}

/** To the nearest f16, ties to even. */
function toHalf(value: number): number {
  const magnitude = Math.abs(value);
  if (!(magnitude < 65520)) return value * Number.POSITIVE_INFINITY;
  const last = 2 ** (Math.max(Math.floor(Math.log2(magnitude)), -14) - 10);
  const shift = 1.5 * 2 ** 52;
  return (value / last + shift - shift) * last;
}

/** Copies of what masks the gradients. */
export const masksOf = (net: Net, results: Results): ReadonlyMap<ValueId, Float64Array> =>
  new Map([...net.masks].map(([name, id]) => [id, Float64Array.from(results[name] ?? [])] as const));

/** Elements that are zero in one of two results and not in the other, by which gradients go other ways. */
export function flipsOf({ masks }: Net, actual: Results, expected: Results): { flips: number; elements: number } {
  const pairs = [...masks.keys()].flatMap((name) =>
    Array.from(expected[name] ?? [], (value, i) => isZero(value) !== isZero(actual[name]?.[i])),
  );
  return { flips: pairs.filter(Boolean).length, elements: pairs.length };
}

interface Deviations {
  /** Results of activations, whose zeros mask the gradients in place of their own. */
  readonly masks?: ReadonlyMap<ValueId, Float64Array>;
  /** Values that are rounded to f16. */
  readonly halves?: ReadonlySet<ValueId>;
}

/** In float64, but for the deviations. */
export async function exactly(
  { graph, inputs }: Net,
  { masks = new Map(), halves = new Set() }: Deviations = {},
): Promise<Results> {
  const values = new Map<ValueId, Float64Array>();
  for (const { id, name = '' } of inputValues(graph)) values.set(id, Float64Array.from(inputs[name] ?? []));
  for (const op of graph.ops) {
    const operands = op.inputs.map((id, i) => {
      const own = values.get(id) ?? new Float64Array();
      return op.kind === 'reluGrad' && opDef(op.kind).operands({})[i] === 'y' ? (masks.get(id) ?? own) : own;
    });
    const results = await runOp('values', { graph, op, operands });
    op.outputs.forEach((id, i) =>
      values.set(id, Float64Array.from(results[i] ?? [], halves.has(id) ? toHalf : Number)),
    );
  }
  return Object.fromEntries(
    [...values].flatMap(([id, elements]) => {
      const { name } = valueOf(graph, id);
      return name === undefined ? [] : [[name, elements] as const];
    }),
  );
}
