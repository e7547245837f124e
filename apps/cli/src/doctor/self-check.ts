import { evaluate, opKinds, type Backend, type OpKind, type TypedArray } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { errorMessage } from '../errors.ts';
import { CaseBuilder } from './case-builder.ts';
import { opCases } from './op-cases.ts';

export interface CheckResult {
  readonly op: OpKind;
  /** Largest difference from the oracle, over the largest value of the same result; null when the op did not run. */
  readonly error: number | null;
  readonly ok: boolean;
  readonly problem: string | null;
}

/** Well above what rounding gives on these small cases, Winograd kernels included, and far below any mistake. */
const tolerance = 1e-4;

/** Runs one small case of every op on a backend and compares each result with the float64 oracle's. */
export async function checkEveryOp(backend: Backend): Promise<CheckResult[]> {
  using oracle = createReferenceBackend();
  const results: CheckResult[] = [];
  for (const op of opKinds) results.push(await checkOp(op, backend, oracle));
  return results;
}

async function checkOp(op: OpKind, backend: Backend, oracle: Backend): Promise<CheckResult> {
  const builder = new CaseBuilder(op);
  opCases[op](builder);
  const graph = builder.graph();
  try {
    const expected = await evaluate(oracle, graph, builder.inputs);
    const actual = await evaluate(backend, graph, builder.inputs, { fuse: false });
    const error = Math.max(...Object.entries(expected).map(([name, values]) => relativeError(actual[name], values)));
    return {
      op,
      error,
      ok: error <= tolerance,
      problem: error <= tolerance ? null : `differs by ${error.toExponential(1)}`,
    };
  } catch (error) {
    return { op, error: null, ok: false, problem: errorMessage(error) };
  }
}

/** max |actual − expected| / max |expected|; infinite for a NaN or another length. */
export function relativeError(actual: TypedArray | undefined, expected: TypedArray): number {
  if (actual?.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number];
    const here = Math.abs(a - e);
    // A comparison with NaN is false: written so that a NaN counts as a difference.
    if (!(here <= difference)) difference = Number.isNaN(here) ? Number.POSITIVE_INFINITY : here;
    scale = Math.max(scale, Math.abs(e));
  }
  return difference === 0 ? 0 : difference / (scale || 1);
}
