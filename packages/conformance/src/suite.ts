import { opKinds, type OpKind } from '@skiplane/core';
import { opCases } from './cases/index.ts';
import type { CaseSpec } from './cases/op-cases.ts';
import { checkOp, checkRandom } from './check-op.ts';
import { checkPattern, checkRandomPattern, patternDims } from './compose/check-pattern.ts';
import { patterns, type Pattern } from './compose/patterns.ts';
import { contract } from './contract.ts';
import { checkNet, checkSubsets, trainingStep, withGradients } from './nets/check-net.ts';
import { networkV1, networkV2, smallNetwork } from './nets/networks.ts';
import type { Settings } from './settings.ts';
import type { Subject } from './subject.ts';

/** One test of the suite. */
export interface ConformanceCase {
  /** `<op>/<case>`, `pattern/<name>/<case>`, `net/<name>` or `contract/<rule>`. */
  readonly id: string;
  /** Whether a gradient is computed: then the case may not be skipped. */
  readonly gradient: boolean;
  run(subject: Subject, settings: Settings): Promise<void>;
}

/** All cases that a backend must pass. */
export function conformanceCases(): readonly ConformanceCase[] {
  return [
    ...Object.entries(contract).map(([rule, check]) => ({
      id: `contract/${rule}`,
      gradient: false,
      async run(subject: Subject) {
        subject.tally.count('contract');
        for (const { backend } of subject.variants) await check(backend);
      },
    })),
    ...opKinds.flatMap((kind) => opConformance(kind)),
    ...Object.entries(patterns).flatMap(([name, pattern]) => patternConformance(name, pattern)),
    ...netConformance(),
  ];
}

function isGradient(kind: OpKind): boolean {
  return kind.endsWith('Grad') || kind.startsWith('conv2dBackprop');
}

function opConformance(kind: OpKind): readonly ConformanceCase[] {
  const gradient = isGradient(kind);
  const { named }: { readonly named: Readonly<Record<string, CaseSpec<OpKind>>> } = opCases[kind];
  const cases = Object.entries(named).map(([name, spec]) => ({
    id: `${kind}/${name}`,
    gradient,
    async run(subject: Subject) {
      for (const placement of ['tensors', 'arena'] as const) await checkOp(subject, kind, spec, placement);
    },
  }));
  const id = `${kind}/random`;
  return [...cases, { id, gradient, run: (subject, settings) => checkRandom(subject, kind, id, settings) }];
}

function patternConformance(name: string, pattern: Pattern): readonly ConformanceCase[] {
  const gradient = pattern.gradient ?? false;
  const cases = Object.entries(patternDims).map(([size, dims]) => ({
    id: `pattern/${name}/${size}`,
    gradient,
    run: (subject: Subject) => checkPattern(subject, name, pattern, dims, 1),
  }));
  const id = `pattern/${name}/random`;
  return [
    ...cases,
    { id, gradient, run: (subject, settings) => checkRandomPattern(subject, name, pattern, id, settings) },
  ];
}

function netConformance(): readonly ConformanceCase[] {
  const nets = { v1: networkV1, v2: networkV2 };
  return [
    ...Object.entries(nets).flatMap(([name, network]) => [
      {
        id: `net/${name}, every gradient`,
        gradient: true,
        run(subject: Subject) {
          const net = network(1);
          return checkNet(subject, `net ${name}, gradients`, withGradients(net, net.parameters));
        },
      },
      {
        id: `net/${name}, training step`,
        gradient: true,
        run: (subject: Subject) => checkNet(subject, `net ${name}, training`, trainingStep(network(1))),
      },
    ]),
    {
      id: 'net/small, every subset of gradients',
      gradient: true,
      run: (subject) => checkSubsets(subject, 'net small, subsets', smallNetwork(1)),
    },
  ];
}
