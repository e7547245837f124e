import { opKinds, UnsupportedError, valueOf, type Backend, type OpKind } from '@skiplane/core';
import { boundGraph, claimedBound, compare, indexOf, resultsOf, runOracle } from '@skiplane/core/reference';
import { errorMessage } from '../errors.ts';
import { formatRatio } from './format.ts';
import { CaseBuilder } from './case-builder.ts';
import { opCases } from './op-cases.ts';
import { runGraph } from './run-graph.ts';

export interface CheckResult {
  readonly op: OpKind;
  /** Largest difference of an element from the oracle, over the bound of its rounding error; null when the op did not run. */
  readonly ratio: number | null;
  readonly ok: boolean;
  readonly problem: string | null;
}

/** Runs one small case of every op on a backend and compares each element with the float64 oracle's. */
export async function checkEveryOp(backend: Backend): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const op of opKinds) results.push(await checkOp(op, backend));
  return results;
}

async function checkOp(op: OpKind, backend: Backend): Promise<CheckResult> {
  const builder = new CaseBuilder(op);
  opCases[op](builder);
  const graph = builder.graph();
  const inputs = new Map(Object.entries(builder.inputs));
  try {
    const { values, report } = await runGraph(backend, graph, inputs, { fuse: false });
    const oracle = await runOracle(graph, inputs);
    const bounds = await boundGraph(graph, oracle, { kernelBound: (kind) => claimedBound(report, kind) });
    let [ratio, problem]: [number, string | null] = [0, null];
    for (const [name, id] of resultsOf(graph)) {
      const verdict = compare({
        actual: values.get(name) ?? [],
        expected: oracle.get(id) ?? new Float64Array(),
        bound: bounds.error.get(id) ?? new Float64Array(),
      });
      if (verdict.ratio <= ratio) continue;
      ratio = verdict.ratio;
      const place = `${name}[${indexOf(verdict.worst, valueOf(graph, id).shape).join(',')}]`;
      if (ratio > 1) problem = `${place}: error/bound ${formatRatio(ratio)}`;
    }
    return { op, ratio, ok: problem === null, problem };
  } catch (error) {
    // What a backend says it lacks is not wrong.
    if (error instanceof UnsupportedError) return { op, ratio: null, ok: true, problem: error.message };
    return { op, ratio: null, ok: false, problem: errorMessage(error) };
  }
}
