import { describe, expect, test } from 'vitest';
import { gradients, GraphError, opDef, opKinds, type OpKind } from '../src/index.ts';
import { checkGradients } from '../src/reference/index.ts';
import { gradientCases, type GradientCase } from './gradient-cases.ts';
import { kernelCases } from './kernel-cases/index.ts';
import { singleOp } from './support/single-op.ts';
import { dataOf, weightedSum } from './support/weighted-sum.ts';

const isList = (entry: (typeof gradientCases)[OpKind]): boolean => typeof entry !== 'string';
const differentiable = opKinds.filter((kind) => isList(gradientCases[kind]));
const notDifferentiable = opKinds.filter((kind) => gradientCases[kind] === 'not differentiable');

test('every op is accounted for', () => {
  expect(Object.keys(gradientCases).toSorted()).toEqual(opKinds.toSorted());
  expect(opKinds.length - differentiable.length - notDifferentiable.length, 'fill has no operands').toBe(1);
});

describe.each(differentiable)('gradient of %s', (kind) => {
  const entry = gradientCases[kind];
  const cases: readonly GradientCase<OpKind>[] = typeof entry === 'string' ? [] : entry;
  test.each(cases)('$title', async ({ attrs, operands, wrt }) => {
    const names = opDef<OpKind>(kind).operands(attrs);
    const { build, inputs, outputs } = singleOp(kind, attrs, operands);
    const [y = -1] = outputs;
    const { loss, data } = weightedSum(build, y);
    const ids = inputs.filter((_, i) => wrt === undefined || wrt.includes(names[i] ?? ''));
    const check = await checkGradients(build.build(), loss, ids, { ...dataOf(operands), ...data });
    expect(check.mismatches).toEqual([]);
    expect(check.kinks).toEqual([]);
    expect(check.checked).toBeGreaterThan(0);
  });
});

test.each(notDifferentiable)('%s refuses to be differentiated', (kind) => {
  const [first] = kernelCases[kind];
  if (first === undefined) throw new Error(`no case of ${kind}`);
  const { build, inputs, outputs } = singleOp<OpKind>(kind, first.attrs, first.operands);
  // Bytes cannot be summed; the op on the way to the sum is the first to refuse.
  const bytes = build.spec(outputs[0] ?? -1).dtype === 'i8';
  const y = bytes ? build.op('dequantize', [outputs[0] ?? -1], { scale: 1 }) : (outputs[0] ?? -1);
  const loss = build.op('reduceSum', [y], {});
  const graph = build.build();
  for (const input of inputs) {
    expect(() => gradients(graph, loss, [input])).toThrow(GraphError);
    expect(() => gradients(graph, loss, [input])).toThrow(
      `'${bytes ? 'dequantize' : kind}' has no gradient: only the forward ops of a network are differentiable`,
    );
  }
});
