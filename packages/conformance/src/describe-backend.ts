import { ValueError, type Backend } from '@skiplane/core';
import { kernelBound, type KernelBound } from '@skiplane/core/reference';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { readSettings } from './settings.ts';
import type { Subject, Variant } from './subject.ts';
import { conformanceCases, type ConformanceCase } from './suite.ts';
import { Tally } from './tally.ts';

/** Cases that a backend does not run, and why. */
export interface Skip {
  readonly reason: string;
  /** Ids of cases, or the part of them before a slash: `topKCorrect/a NaN in each row`, or all of `topKCorrect`. */
  readonly cases: readonly string[];
}

type Create = () => Backend | Promise<Backend>;

export interface BackendDescription {
  readonly name: string;
  readonly create: Create;
  /** Other configurations of the same binary and device, such as numbers of threads: they must compute the same bits. */
  readonly variants?: Readonly<Record<string, Create>>;
  readonly skip?: readonly Skip[];
  /** Runs these cases only, named as in {@link Skip}: for one more configuration of a backend that has passed the rest. */
  readonly only?: readonly string[];
  /** Random cases of each op and composed graph, for a slow device (default: the environment's, else 12). */
  readonly runs?: number;
  /** Milliseconds for one case, for a device that compiles slowly (default 60,000). */
  readonly timeout?: number;
  /** What a kernel claims of its error, by its name in the program's report (default: core's `kernelBound`). */
  readonly boundFactor?: (kernel: string) => KernelBound;
}

/** Milliseconds for one case: random ones run many programs. */
const caseTimeout = 60_000;

/**
 * Registers the whole suite for one backend with vitest, and prints at its end a table of the largest errors, the skipped
 * cases with their reasons, and the number of cases run.
 *
 * ```ts
 * describeBackend({ name: 'reference', create: createReferenceBackend });
 * ```
 *
 * @throws {ValueError} when a skip has no reason, or names a gradient, or a skip or `only` names no case
 */
export function describeBackend(description: BackendDescription): void {
  const {
    name,
    create,
    variants = {},
    skip = [],
    only,
    boundFactor = kernelBound,
    timeout = caseTimeout,
  } = description;
  const settings = { ...readSettings(), ...(description.runs !== undefined && { runs: description.runs }) };
  const cases = selectCases(conformanceCases(), only);
  const reasons = reasonsToSkip(cases, skip);
  const tally = new Tally();
  for (const [id, reason] of reasons) tally.skip(id, reason);
  const open: Variant[] = [];
  const subject: Subject = { name, variants: open, boundFactor, tally };
  const checkCase = (conformanceCase: ConformanceCase) => conformanceCase.run(subject, settings);

  describe(name, () => {
    beforeAll(async () => {
      open.push({ name, backend: await create() });
      for (const [variant, createVariant] of Object.entries(variants)) {
        open.push({ name: variant, backend: await createVariant() });
      }
    }, timeout);
    afterAll(() => {
      for (const { backend } of open) backend.dispose();
      console.log(`\n${tally.report(name)}`);
    });
    for (const conformanceCase of cases) {
      const { id } = conformanceCase;
      const reason = reasons.get(id);
      it(id, (context) => (reason === undefined ? checkCase(conformanceCase) : context.skip(reason)), timeout);
    }
  });
}

function selectCases(cases: readonly ConformanceCase[], only: readonly string[] | undefined) {
  return only === undefined ? cases : only.flatMap((name) => casesNamed(cases, name));
}

/** The case of an id, or all below it. */
function casesNamed(cases: readonly ConformanceCase[], name: string): readonly ConformanceCase[] {
  const matching = cases.filter(({ id }) => id === name || id.startsWith(`${name}/`));
  if (matching.length === 0) throw new ValueError(`'${name}': no conformance case has this name`);
  return matching;
}

/** The reason of every skipped case. @throws {ValueError} see {@link describeBackend} */
export function reasonsToSkip(cases: readonly ConformanceCase[], skips: readonly Skip[]): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>();
  for (const { reason, cases: names } of skips) {
    if (reason.trim() === '') throw new ValueError(`skip of ${names.join(', ')}: a skip must carry a reason`);
    for (const name of names) {
      for (const { id, gradient } of casesNamed(cases, name)) {
        if (gradient)
          throw new ValueError(`skip '${name}': '${id}' computes a gradient, and a gradient may not be skipped`);
        reasons.set(id, reason);
      }
    }
  }
  return reasons;
}
