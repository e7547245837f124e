import { elementCount } from '@skiplane/core';
import type { FileTensor } from './model-file.ts';
import { intOf, intsOf } from './onnx-context.ts';
import type { OnnxNode } from './onnx-schema.ts';
import { onnxTensor } from './onnx-tensor.ts';
import { constantOf, Unrepresentable } from './onnx-values.ts';
import { gatherStrided, rowByRowStrides } from './strided.ts';

/** Nodes whose operands are all constants: exporters compute shapes and paddings with them, and turn kernels. */

/** Shapes are known at once, and values when they are asked for. */
type Constant = Pick<FileTensor, 'shape' | 'read'>;

type Fold = (node: OnnxNode, inputs: readonly Constant[]) => Constant | undefined;

/** More are no shape. */
const maxMade = 2 ** 20;

export function isConstantNode(opType: string): boolean {
  return Object.hasOwn(folds, opType);
}

/** The constant that a node of constants is; undefined where the op is none of these. @throws {Unrepresentable} */
export function foldConstants(
  node: OnnxNode,
  title: string,
  inputs: readonly FileTensor[],
): { constant: FileTensor } | undefined {
  const fold = isConstantNode(node.opType) ? folds[node.opType] : undefined;
  const result = fold?.(node, inputs);
  if (result === undefined) return undefined;
  let values: Float32Array | undefined;
  // Kept: a chain of nodes that read each other twice must not be computed anew at every link.
  const read = (): Float32Array => (values ??= result.read());
  return { constant: { name: title, shape: result.shape, dtype: 'float32', read } };
}

/** A `Constant`, which has its value in one of several attributes. @throws {Unrepresentable} when it is no number */
export function constantNode({ attribute }: OnnxNode, title: string): { constant: FileTensor } {
  const given = attribute.find(({ name }) => name.startsWith('value'));
  if (given?.name === 'value' && given.t !== null) return { constant: onnxTensor({ ...given.t, name: title }) };
  if (given?.name === 'value_int') return constantOf(title, [], [given.i]);
  if (given?.name === 'value_float') return constantOf(title, [], [given.f]);
  if (given?.name === 'value_ints') return constantOf(title, [given.ints.length], given.ints);
  if (given?.name === 'value_floats') return constantOf(title, [given.floats.length], given.floats);
  throw new Unrepresentable('a constant that is no number');
}

const same: Fold = (_, [x]) => x;

const folds: Readonly<Record<string, Fold>> = {
  Cast: same,
  Identity: same,
  Unsqueeze: (_, [x]) => x && { ...x, shape: [elementCount(x.shape)] },
  Squeeze: (_, [x]) => x && { ...x, shape: elementCount(x.shape) === 1 ? [] : [elementCount(x.shape)] },
  Shape: (_, [x]) => x && vector(x.shape),
  Concat: (node, inputs) =>
    intOf(node, 'axis', 0) === 0 ? vector(inputs.flatMap(({ read }) => [...read()])) : undefined,
  Gather(_, [x, indices]) {
    if (x === undefined || indices === undefined || x.shape.length > 1) return undefined;
    const values = x.read();
    const at = (index: number): number => values[index < 0 ? index + values.length : index] ?? Number.NaN;
    return { shape: indices.shape, read: () => indices.read().map(at) };
  },
  ConstantOfShape(node, [sizes]) {
    if (sizes === undefined) return undefined;
    const shape = [...sizes.read()];
    const count = elementCount(shape);
    if (!(count <= maxMade)) throw new Unrepresentable(`a constant of the shape [${shape.join(',')}]`);
    const value = node.attribute.find(({ name }) => name === 'value')?.t;
    const filled = value == null ? 0 : (onnxTensor(value).read()[0] ?? 0);
    return { shape, read: () => new Float32Array(count).fill(filled) };
  },
  Reshape(_, [x, target]) {
    if (x === undefined || target === undefined) return undefined;
    const sizes = [...target.read()].map((size, axis) => (size === 0 ? (x.shape[axis] ?? 0) : size));
    const rest = elementCount(x.shape) / elementCount(sizes.filter((size) => size !== -1));
    const shape = sizes.map((size) => (size === -1 ? rest : size));
    return elementCount(shape) === elementCount(x.shape) ? { shape, read: x.read } : undefined;
  },
  Transpose(node, [x]) {
    if (x === undefined) return undefined;
    const order = intsOf(node, 'perm') ?? x.shape.map((_, axis) => x.shape.length - 1 - axis);
    if (order.toSorted((a, b) => a - b).join() !== x.shape.map((_, axis) => axis).join()) return undefined;
    const strides = rowByRowStrides(x.shape);
    const shape = order.map((axis) => x.shape[axis] as number);
    const steps = order.map((axis) => strides[axis] as number);
    return { shape, read: () => gatherStrided(x.read(), shape, steps, elementCount(shape)) };
  },
  Slice: sliceRows,
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Div: elementwise((a, b) => a / b),
};

function vector(values: ArrayLike<number>): Constant {
  return { shape: [values.length], read: () => Float32Array.from(values) };
}

/** Of two constants of one shape, or one of them a single value. */
function elementwise(compute: (a: number, b: number) => number): Fold {
  return (_, [a, b]) => {
    if (a === undefined || b === undefined) return undefined;
    const [large, small] = elementCount(a.shape) >= elementCount(b.shape) ? [a, b] : [b, a];
    if (elementCount(small.shape) !== 1 && small.shape.join() !== large.shape.join()) return undefined;
    const read = (): Float32Array => {
      const [left, right] = [a.read(), b.read()];
      return Float32Array.from({ length: elementCount(large.shape) }, (_value, i) =>
        compute(elementOf(left, i), elementOf(right, i)),
      );
    };
    return { shape: large.shape, read };
  };
}

function elementOf(values: Float32Array, i: number): number {
  return values[values.length === 1 ? 0 : i] as number;
}

/** Some of the rows along the first axis, in either direction. */
function sliceRows(node: OnnxNode, [x, ...lists]: readonly Constant[]): Constant | undefined {
  if (x === undefined) return undefined;
  const one = (name: string, index: number, fallback: number): number | undefined => {
    const values = intsOf(node, name) ?? lists[index]?.read() ?? [fallback];
    return values.length === 1 ? values[0] : undefined;
  };
  const [start, end, axis, step] = [one('starts', 0, 0), one('ends', 1, 0), one('axes', 2, 0), one('steps', 3, 1)];
  const [rows = 0, ...rest] = x.shape;
  if (start === undefined || end === undefined || step === undefined || step === 0 || axis !== 0) return undefined;
  const [lowest, highest] = step > 0 ? [0, rows] : [-1, rows - 1];
  const clamped = (value: number): number => Math.min(Math.max(value < 0 ? value + rows : value, lowest), highest);
  const width = elementCount(rest);
  const values = x.read();
  const taken: number[] = [];
  for (let row = clamped(start); step > 0 ? row < clamped(end) : row > clamped(end); row += step)
    taken.push(...values.subarray(row * width, (row + 1) * width));
  return { shape: [width === 0 ? 0 : taken.length / width, ...rest], read: () => Float32Array.from(taken) };
}
