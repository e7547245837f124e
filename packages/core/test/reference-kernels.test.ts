import { describe, expect, test } from 'vitest';
import { opKinds, type OpKind } from '../src/index.ts';
import { kernelCases } from './kernel-cases/index.ts';
import type { KernelCase } from './kernel-cases/kernel-case.ts';
import { differences } from './support/differences.ts';
import { runSingleOp } from './support/single-op.ts';

test('every op has a case', () => {
  expect(Object.keys(kernelCases).toSorted()).toEqual(opKinds.toSorted());
  expect(opKinds.filter((kind) => kernelCases[kind].length === 0)).toEqual([]);
});

describe.each(opKinds)('%s', (kind) => {
  const cases: readonly KernelCase<OpKind>[] = kernelCases[kind];
  test.each(cases)('$title', async ({ attrs, operands, expected }) => {
    expect(differences(await runSingleOp(kind, attrs, operands), expected, 1e-13)).toEqual([]);
  });
});
