import {
  inputValues,
  valueOf,
  type Backend,
  type CompileOptions,
  type Graph,
  type Program,
  type ProgramReport,
  type Tensor,
} from '@skiplane/core';
import { ConformanceError, firstDifference, indexOf } from './compare.ts';
import { resultsOf } from './oracle.ts';

export type Results = ReadonlyMap<string, Float32Array>;

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
  inputs: ReadonlyMap<string, Float32Array>,
  options: CompileOptions,
): Promise<Outcome> {
  const tensors = new Map<string, Tensor>();
  const results = resultsOf(graph);
  const constant = inputValues(graph).flatMap(({ name }) => (name === undefined || results.has(name) ? [] : [name]));
  let program: Program | undefined;
  try {
    for (const value of graph.values) if (value.name !== undefined) tensors.set(value.name, backend.tensor(value));
    program = await backend.compile(graph, tensors, options);
    const halved = new Map([...inputs].map(([name, data]) => [name, data.map((value) => value / 2)]));
    await runOnce(program, tensors, halved, []);
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

async function runOnce(
  program: Program,
  tensors: ReadonlyMap<string, Tensor>,
  inputs: ReadonlyMap<string, Float32Array>,
  results: Iterable<string>,
): Promise<Results> {
  for (const [name, tensor] of tensors) {
    const data =
      inputs.get(name) ?? new Float32Array(tensor.shape.reduce((count, size) => count * size, 1)).fill(Number.NaN);
    tensor.write(data);
  }
  await program.run();
  return readAll(tensors, results);
}

async function readAll(tensors: ReadonlyMap<string, Tensor>, names: Iterable<string>): Promise<Results> {
  const data = new Map<string, Float32Array>();
  for (const name of names) data.set(name, (await tensors.get(name)?.read()) as Float32Array);
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
