import { valueOf, type Graph, type Op } from '../../graph.ts';
import { at } from './context.ts';

/**
 * What a kernel claims of its error. A number multiplies the bound of an ordinary sum. A kernel that transforms tiles, such as
 * Winograd's, mixes neighbours: its error follows the largest operands of the tile, not those of the one element, so that
 * the bound is taken with each image element replaced by the largest within `spread` rows and columns, and each filter
 * element by the largest of its taps.
 *
 * @source Barabasz et al. 2020, Error analysis and improving the accuracy of Winograd convolution
 */
export type KernelBound = number | { readonly factor: number; readonly spread: number };

/** Operands that choose, rather than add to the sum, stay as they are. */
const filters: Partial<Record<Op['kind'], number>> = { conv2d: 1, conv2dBackpropInput: 0 };
const images: Partial<Record<Op['kind'], readonly number[]>> = {
  conv2d: [0],
  conv2dBackpropInput: [1],
  conv2dBackpropFilter: [0, 1],
};

/** The operands as a kernel's bound sees them, and the factor of its bound. */
export function spreadOperands(graph: Graph, op: Op, operands: readonly Float64Array[], kernel: KernelBound) {
  if (typeof kernel === 'number') return { factor: kernel, operands };
  const spread = operands.map((values, i) => {
    const { shape } = valueOf(graph, op.inputs[i] ?? -1);
    if (filters[op.kind] === i) return largestTap(values, shape);
    return images[op.kind]?.includes(i) === true ? largestNear(values, shape, kernel.spread) : values;
  });
  return { factor: kernel.factor, operands: spread };
}

function largestTap(values: Float64Array, [height = 1, width = 1]: readonly number[]): Float64Array {
  const pairs = values.length / (height * width);
  const largest = new Float64Array(pairs);
  values.forEach((value, i) => (largest[i % pairs] = Math.max(at(largest, i % pairs), Math.abs(value))));
  return values.map((_, i) => at(largest, i % pairs));
}

function largestNear(
  values: Float64Array,
  [, height = 1, width = 1, channels = 1]: readonly number[],
  spread: number,
): Float64Array {
  const alongRows = largestAlong(values.map(Math.abs), width, channels, spread);
  return largestAlong(alongRows, height, width * channels, spread);
}

/** The largest of the elements within `spread` along an axis of a length and a stride. */
function largestAlong(values: Float64Array, length: number, stride: number, spread: number): Float64Array {
  return values.map((_, i) => {
    const position = Math.floor(i / stride) % length;
    let largest = 0;
    for (let near = Math.max(position - spread, 0); near <= Math.min(position + spread, length - 1); near++) {
      largest = Math.max(largest, at(values, i + (near - position) * stride));
    }
    return largest;
  });
}
