import {
  allocate,
  elementCount,
  inputValues,
  valueOf,
  type Backend,
  type CompileOptions,
  type Graph,
  type Program,
  type ProgramReport,
  type Tensor,
  type TypedArray,
} from '@skiplane/core';
import { indexOf, resultsOf } from '@skiplane/core/reference';
import { ConformanceError, firstDifference } from './compare.ts';

export type Results = ReadonlyMap<string, TypedArray>;

export interface Outcome {
  readonly results: Results;
  readonly report: ProgramReport;
}

/**
 * Compiles a graph, runs it on other inputs, then twice on the ones given.
 * Outputs hold NaN before each run, so that an element nobody writes shows; what a program keeps of its first inputs, such as a
 * packed filter, shows in the second run; inputs that are not state must come back unchanged.
 *
 * @throws {ConformanceError} when the two runs differ in a bit, or an input was written to
 */
export async function runTwice(
  backend: Backend,
  graph: Graph,
  inputs: ReadonlyMap<string, TypedArray>,
  options: CompileOptions,
): Promise<Outcome> {
  const tensors = new Map<string, Tensor>();
  const results = resultsOf(graph);
  const constant = inputValues(graph).flatMap(({ name }) => (name === undefined || results.has(name) ? [] : [name]));
  let program: Program | undefined;
  try {
    for (const value of graph.values) if (value.name !== undefined) tensors.set(value.name, backend.tensor(value));
    program = await backend.compile(graph, tensors, options);
    const others = new Map([...inputs].map(([name, data]) => [name, halved(data)]));
    await runOnce(program, tensors, others, []);
    const first = await runOnce(program, tensors, inputs, results.keys());
    const second = await runOnce(program, tensors, inputs, results.keys());
    expectEqualBits(graph, first, second, 'two runs of one program');
    const after = await readAll(tensors, constant);
    expectEqualBits(graph, inputs, after, 'an input before and after the run');
    return { results: first, report: program.report };
  } finally {
    program?.dispose();
    for (const tensor of tensors.values()) tensor.dispose();
  }
}

function halved(data: TypedArray): TypedArray {
  const half = data.slice();
  for (let i = 0; i < half.length; i++) half[i] = (half[i] as number) / 2;
  return half;
}

async function runOnce(
  program: Program,
  tensors: ReadonlyMap<string, Tensor>,
  inputs: ReadonlyMap<string, TypedArray>,
  results: Iterable<string>,
): Promise<Results> {
  for (const [name, tensor] of tensors) {
    tensor.write(inputs.get(name) ?? poison(tensor));
  }
  await program.run();
  return readAll(tensors, results);
}

/** What no op gives: NaN, and −128 in bytes. */
function poison({ dtype, shape }: Tensor): TypedArray {
  return allocate(dtype, elementCount(shape)).fill(dtype === 'i8' ? -128 : Number.NaN);
}

async function readAll(tensors: ReadonlyMap<string, Tensor>, names: Iterable<string>): Promise<Results> {
  const data = new Map<string, TypedArray>();
  for (const name of names) data.set(name, (await tensors.get(name)?.read()) ?? new Float32Array());
  return data;
}

/** @throws {ConformanceError} naming the first element of `b` that differs from `a` in a bit */
export function expectEqualBits(graph: Graph, a: Results, b: Results, what: string): void {
  for (const [name, data] of b) {
    const before = a.get(name);
    if (before === undefined) continue;
    const at = firstDifference(before, data);
    if (at < 0) continue;
    const value = graph.values.find((candidate) => candidate.name === name);
    const index = indexOf(at, value === undefined ? [] : valueOf(graph, value.id).shape);
    throw new ConformanceError(
      `bits differ between ${what}: '${name}' at [${index.join(',')}] is ${before[at]}, then ${data[at]}.`,
    );
  }
}
