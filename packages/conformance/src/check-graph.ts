import { fuse, printGraph, valueOf, type Graph, type ProgramReport, type ValueId } from '@skiplane/core';
import {
  boundGraph,
  claimedBound,
  compare,
  explain,
  resultsOf,
  runOracle,
  type Comparison,
  type GraphBounds,
  type OracleValues,
  type Verdict,
} from '@skiplane/core/reference';
import { ConformanceError } from './compare.ts';
import { copyLabel, type GraphCase } from './op-graph.ts';
import { expectEqualBits, runTwice, type Outcome, type Results } from './run-graph.ts';
import { kernelsOf, type Subject } from './subject.ts';

export interface GraphCheck extends GraphCase {
  /** Row of the tally. */
  readonly family: string;
  /** Whether the backend is asked to fuse; the oracle then runs the fused graph. */
  readonly fuse: boolean;
  /** Whether all operands are exact: then a bound that is large beside Σ|terms| is itself at fault. */
  readonly exactOperands?: true;
  /** What the case consists of, for the message of a failure. */
  readonly about: readonly string[];
}

/**
 * Runs a graph on every variant of a subject, twice and guarded, and once more without guard on the first:
 * equal bits everywhere, and every result within its bound of the oracle.
 *
 * @throws {ConformanceError} that says all it takes to find and repeat the case
 */
export async function checkGraph(subject: Subject, check: GraphCheck): Promise<void> {
  subject.tally.count(check.family);
  const executed = check.fuse ? fuse(check.graph) : check.graph;
  const values = await runOracle(executed, check.inputs);
  let report: ProgramReport | undefined;
  try {
    const outcome = await runVariants(subject, check);
    report = outcome.report;
    const bounds = await boundsOf(subject, executed, values, outcome.report);
    if (check.exactOperands) expectSaneBounds(executed, bounds);
    const problems = judge(subject, check.family, { executed, values, bounds, results: outcome.results });
    if (problems.length > 0) throw new ConformanceError(problems.join('\n'));
  } catch (error) {
    throw describeFailure(subject, check, executed, report, error);
  }
}

/** Largest bound of a single op beside its Σ|terms|: even a sum of a hundred million terms is below. */
const sane = 2 ** -8;

/** What flushed subnormals may come to, multiplied by operands of up to 2³⁰. */
const flushing = 2 ** -64;

/** @throws {ConformanceError} when a bound would let wrong results pass */
export function expectSaneBounds(graph: Graph, { error, scale }: GraphBounds): void {
  for (const op of graph.ops) {
    // A copy adds nothing to the error that its operand has, which may be large beside an operand that cancels.
    if (op.label === copyLabel) continue;
    // A mean of terms that cancel, or the logarithm of a sum near 1, may be zero and still be uncertain.
    const least = op.kind === 'softmaxCrossEntropy' || op.kind === 'batchNormTraining' ? 1 : 0;
    for (const id of op.outputs) {
      const bounds = error.get(id) ?? new Float64Array();
      const scales = scale.get(id) ?? new Float64Array();
      const at = bounds.findIndex((bound, i) => !(bound <= sane * (Math.abs(scales[i] as number) + least) + flushing));
      if (at < 0) continue;
      throw new ConformanceError(
        `absurd bound: ${bounds[at]} for element ${at} of a result of ${op.kind}, whose terms sum to ${scales[at]} in magnitude.`,
      );
    }
  }
}

function boundsOf(
  subject: Subject,
  executed: Graph,
  values: OracleValues,
  report: ProgramReport,
): Promise<GraphBounds> {
  return boundGraph(executed, values, { kernelBound: (kind) => claimedBound(report, kind, subject.boundFactor) });
}

/** The outcome of the first variant, once all others have the same bits. */
export async function runVariants(subject: Subject, { graph, inputs, fuse: fused }: GraphCheck): Promise<Outcome> {
  let first: { readonly name: string; readonly outcome: Outcome } | undefined;
  for (const { name, backend } of subject.variants) {
    const outcome = await runTwice(backend, graph, inputs, { fuse: fused, guard: true });
    if (first === undefined) {
      first = { name, outcome };
      const plain = await runTwice(backend, graph, inputs, { fuse: fused });
      expectEqualBits(graph, outcome.results, plain.results, 'a guarded and a plain program');
    } else expectEqualBits(graph, first.outcome.results, outcome.results, `${first.name} and ${name}`);
  }
  if (first === undefined) throw new ConformanceError(`${subject.name} has no variant to run.`);
  return first.outcome;
}

interface Judged {
  readonly executed: Graph;
  readonly values: OracleValues;
  readonly bounds: GraphBounds;
  readonly results: Results;
}

function judge(subject: Subject, family: string, { executed, values, bounds, results }: Judged): readonly string[] {
  return [...resultsOf(executed)].flatMap(([name, id]) => {
    const comparison: Comparison = {
      actual: results.get(name) ?? [],
      expected: values.get(id) ?? new Float64Array(),
      bound: bounds.error.get(id) ?? new Float64Array(),
    };
    const verdict = compare(comparison);
    subject.tally.ratio(family, verdict.tightness);
    return verdict.outside > 0 ? [lineOf(executed, name, id, comparison, verdict)] : [];
  });
}

function lineOf(graph: Graph, name: string, id: ValueId, comparison: Comparison, verdict: Verdict): string {
  return explain(name, valueOf(graph, id).shape, comparison, verdict);
}

function describeFailure(
  subject: Subject,
  check: GraphCheck,
  executed: Graph,
  report: ProgramReport | undefined,
  error: unknown,
): Error {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const lines = [
    `${check.family} on ${subject.name}, fuse: ${check.fuse}`,
    reason,
    ...check.about,
    ...(report === undefined ? [] : [`kernels ${kernelsOf(report)}`]),
    printGraph(executed),
  ];
  return Object.assign(new ConformanceError(lines.join('\n')), { cause: error });
}
