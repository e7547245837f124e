import { opDef, type OpKind } from '@skiplane/core';
import * as fc from 'fast-check';
import { opCases } from './cases/index.ts';
import type { CaseSpec, OpCases } from './cases/op-cases.ts';
import { checkGraph } from './check-graph.ts';
import { ConformanceError } from './compare.ts';
import { formatFill } from './data.ts';
import { opGraph, type Placement } from './op-graph.ts';
import { repeatHint, type Settings } from './settings.ts';
import type { Subject } from './subject.ts';

/** Runs one case of one op, with its values in the given place. */
export async function checkOp<K extends OpKind>(
  subject: Subject,
  kind: K,
  spec: CaseSpec<K>,
  placement: Placement,
): Promise<void> {
  const cases: OpCases<K> = opCases[kind];
  const { graph, inputs } = await opGraph(kind, spec, cases, placement);
  await checkGraph(subject, {
    family: kind,
    graph,
    inputs,
    fuse: true,
    exactOperands: true,
    about: describeSpec(kind, spec),
  });
}

function describeSpec<K extends OpKind>(kind: K, { attrs, operands }: CaseSpec<K>): readonly string[] {
  const names = opDef(kind).operands(attrs);
  return [
    `attrs ${JSON.stringify(attrs)}`,
    ...operands.map(({ shape, fill }, i) => `  ${names[i]} ${formatFill(shape, fill)}`),
  ];
}

/** Runs the random cases of one op; the smallest failing one is the one reported. */
export async function checkRandom(subject: Subject, kind: OpKind, id: string, settings: Settings): Promise<void> {
  const cases: Pick<OpCases<OpKind>, 'arbitrary'> = opCases[kind];
  const arbitrary = fc.record({ spec: cases.arbitrary, placement: fc.constantFrom<Placement[]>('tensors', 'arena') });
  await checkProperty(id, settings, arbitrary, ({ spec, placement }) => checkOp(subject, kind, spec, placement));
}

/** @throws {ConformanceError} with the failure of the smallest case found, and how to repeat it */
export async function checkProperty<T>(
  id: string,
  { seed, path, runs }: Settings,
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => Promise<void>,
): Promise<void> {
  const details = await fc.check(fc.asyncProperty(arbitrary, check), {
    seed,
    numRuns: runs,
    interruptAfterTimeLimit: 20_000,
    ...(path === undefined ? {} : { path }),
  });
  if (!details.failed) return;
  const error = details.errorInstance;
  throw new ConformanceError(
    `${error instanceof Error ? error.message : String(error)}\n${repeatHint(id, details.seed, details.counterexamplePath)}`,
  );
}
