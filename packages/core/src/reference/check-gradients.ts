import { gradients } from '../autodiff.ts';
import { GraphBuilder } from '../builder.ts';
import { BindingError, GraphError } from '../errors.ts';
import { inputValues, type Graph, type Value, type ValueId } from '../graph.ts';
import { randomStream, uniforms } from '../random.ts';
import { createReferenceBackend, type ReferenceBackend } from './backend.ts';
import { differentiate } from './differentiate.ts';
import type { ReferenceTensor } from './tensor.ts';

export interface GradientCheckOptions {
  /** Largest difference, relative to the size of the tensor's gradient (default 1e-7). */
  readonly tolerance?: number;
  /** A tensor of at most this many elements is checked along each of them, a larger one along random directions (default 64). */
  readonly maxElements?: number;
  /** Random directions for each larger tensor, every component ±1 (default 4). */
  readonly directions?: number;
  /** Seed of the directions (default 0). */
  readonly seed?: number;
}

/** One derivative of the loss: along an element of an input, or along a random direction. */
export interface CheckedDerivative {
  readonly input: string;
  readonly along: string;
  /** By `gradients`. */
  readonly analytic: number;
  /** By finite differences. */
  readonly numeric: number;
}

export interface GradientCheck {
  /** Number of derivatives compared, kinks included. */
  readonly checked: number;
  /** Where both differ although the loss is smooth: wrong gradients. */
  readonly mismatches: readonly CheckedDerivative[];
  /** Where the loss has no derivative within reach of the smallest step (a relu at 0, a tie of a maximum): not decided. */
  readonly kinks: readonly CheckedDerivative[];
}

/**
 * Compares `gradients(graph, loss, wrt)` with finite differences of the loss, both in float64 on the reference backend.
 *
 * @param wrt     named inputs of the graph
 * @param inputs  elements of every named input, row-major, not rounded; state that the graph updates is reset before each run
 * @throws {GraphError} when `wrt` is no input, or has no gradient
 * @throws {BindingError} when data is missing or of the wrong length
 */
export async function checkGradients(
  graph: Graph,
  loss: ValueId,
  wrt: readonly ValueId[],
  inputs: Readonly<Record<string, ArrayLike<number>>>,
  options: GradientCheckOptions = {},
): Promise<GradientCheck> {
  const { tolerance = 1e-7 } = options;
  const given = inputData(graph, inputs);
  const backend = createReferenceBackend();
  const analytic = await evaluateWith(backend, withGradients(graph, loss, wrt), given);
  await analytic.run();
  const lossOnly = await evaluateWith(backend, withOutput(graph, loss), given);

  const mismatches: CheckedDerivative[] = [];
  const kinks: CheckedDerivative[] = [];
  let checked = 0;
  for (const id of wrt) {
    const input = inputName(graph, id);
    const gradient = analytic.tensor(gradientName(input)).values;
    const scale = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
    for (const { along, vector } of directionsFor(input, gradient.length, options)) {
      const slope = gradient.reduce((sum, value, at) => sum + value * (vector[at] as number), 0);
      const moved = async (distance: number): Promise<number> => {
        lossOnly.reset();
        const values = lossOnly.tensor(input).values;
        for (let at = 0; at < values.length; at++)
          values[at] = (values[at] as number) + distance * (vector[at] as number);
        await lossOnly.run();
        return lossOnly.tensor(lossName).values[0] as number;
      };
      const { derivative, kink, error } = await differentiate(moved, tolerance * scale, slope);
      checked += 1;
      const found = { input, along, analytic: slope, numeric: derivative };
      if (kink) kinks.push(found);
      else if (!(Math.abs(derivative - slope) <= tolerance * Math.max(scale, Math.abs(derivative)) + error))
        mismatches.push(found);
    }
  }
  return { checked, mismatches, kinks };
}

const lossName = 'checkGradients/loss';
const gradientName = (input: string): string => `checkGradients/${input}`;

function inputName(graph: Graph, id: ValueId): string {
  const input = inputValues(graph).find((value) => value.id === id);
  if (input?.name === undefined) {
    throw new GraphError(
      `checkGradients: value ${id} of graph '${graph.name}' is no named input; only inputs can be moved.`,
    );
  }
  return input.name;
}

function inputData(
  graph: Graph,
  inputs: Readonly<Record<string, ArrayLike<number>>>,
): ReadonlyMap<string, ArrayLike<number>> {
  const data = new Map<string, ArrayLike<number>>();
  const problems: string[] = [];
  for (const { name = '', shape } of inputValues(graph)) {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = inputs[name];
    if (values === undefined) problems.push(`'${name}' has no data`);
    else if (values.length !== count) problems.push(`'${name}' has ${count} elements, but ${values.length} were given`);
    else data.set(name, values);
  }
  if (problems.length > 0) throw new BindingError(`checkGradients: ${problems.join('; ')}.`, { problems });
  return data;
}

/** Names a copy: the value itself may have a name already, or be the gradient of two inputs at once. */
function nameCopy(build: GraphBuilder, name: string, id: ValueId): void {
  build.output(name, build.op('affine', [id], { scale: 1, offset: 0 }));
}

function withOutput(graph: Graph, loss: ValueId): Graph {
  const build = new GraphBuilder(graph.name, graph);
  nameCopy(build, lossName, loss);
  return build.build();
}

function withGradients(graph: Graph, loss: ValueId, wrt: readonly ValueId[]): Graph {
  const extended = gradients(graph, loss, wrt);
  const build = new GraphBuilder(graph.name, extended.graph);
  wrt.forEach((id, i) => nameCopy(build, gradientName(inputName(graph, id)), extended.gradients[i] as ValueId));
  return build.build();
}

interface Evaluation {
  tensor(name: string): ReferenceTensor;
  /** Writes the given data back, undoing moves and updates. */
  reset(): void;
  run(): Promise<void>;
}

async function evaluateWith(
  backend: ReferenceBackend,
  graph: Graph,
  given: ReadonlyMap<string, ArrayLike<number>>,
): Promise<Evaluation> {
  const named = graph.values.filter((value): value is Value & { name: string } => value.name !== undefined);
  const tensors = new Map(named.map((value) => [value.name, backend.tensor(value)]));
  const program = await backend.compile(graph, tensors);
  const tensor = (name: string): ReferenceTensor => {
    const found = tensors.get(name);
    if (found === undefined) throw new GraphError(`checkGradients: graph '${graph.name}' has no value named '${name}'`);
    return found;
  };
  const reset = (): void => given.forEach((data, name) => tensor(name).values.set(data));
  reset();
  return { tensor, reset, run: () => program.run() };
}

function directionsFor(input: string, length: number, options: GradientCheckOptions) {
  const { maxElements = 64, directions = 4, seed = 0 } = options;
  if (length <= maxElements) {
    return Array.from({ length }, (_, at) => {
      const vector = new Float64Array(length);
      vector[at] = 1;
      return { along: `element ${at}`, vector };
    });
  }
  return Array.from({ length: directions }, (_, i) => ({
    along: `direction ${i}`,
    vector: uniforms(randomStream(seed, `checkGradients/${input}/${i}`), length).map((u) => (u < 0.5 ? -1 : 1)),
  }));
}
