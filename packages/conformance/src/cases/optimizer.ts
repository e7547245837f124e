import type { OpAttrs, OpKind } from '@skiplane/core';
import * as fc from 'fast-check';
import type { FillKind } from '../data.ts';
import {
  operand,
  operandsArbitrary,
  shapeArbitrary,
  valueFills,
  type CaseSpec,
  type OpCases,
  type OperandSpec,
} from './op-cases.ts';

/** Second moments are never negative. */
const secondMoments: readonly FillKind[] = ['positive', 'zeros', 'equal', 'equalLarge'];

/** A rate as in training, none, and one too large. */
const rates: readonly FillKind[] = ['stepSize', 'zeros', 'equal'];

interface Role {
  /** Fills that random cases take; the first is that of a plain case. */
  readonly fills: readonly FillKind[];
  readonly scalar?: true;
}

const parameter: Role = { fills: valueFills };
const moment: Role = { fills: valueFills };
const secondMoment: Role = { fills: secondMoments };
const gradient: Role = { fills: valueFills };
const rate: Role = { fills: rates, scalar: true };
/** Of a guarded step, which is taken where it is finite. */
const norm: Role = { fills: ['positive', 'infinite', 'nan'], scalar: true };

/** Cases with a step that is always taken, and with one that depends on a norm. */
function withGuard<K extends 'adam' | 'adamW' | 'sgdMomentum'>(
  roles: readonly Role[],
  attrs: readonly [OpAttrs[K], ...OpAttrs[K][]],
): OpCases<K> {
  const always = optimizerCasesOf<K>(roles, attrs);
  const guarded = { ...attrs[0], guarded: true };
  const shape = [3, 3, 4, 5];
  const named = norm.fills.map((fill): readonly [string, CaseSpec<K>] => {
    const operands = [...roles, norm].map((role, i) =>
      operand(role.scalar ? [] : shape, role === norm ? fill : role.fills[0], i + 1),
    );
    return [`guarded, norm ${fill}`, { attrs: guarded, operands }];
  });
  return {
    named: { ...always.named, ...Object.fromEntries(named) },
    arbitrary: fc.oneof(
      { weight: 3, arbitrary: always.arbitrary },
      { weight: 1, arbitrary: optimizerCasesOf<K>([...roles, norm], [guarded]).arbitrary },
    ),
  };
}

/** Cases of an optimizer: shapes, then every fill of the gradient on the first step and on a later one, then every rate. */
function optimizerCasesOf<K extends OpKind>(
  roles: readonly Role[],
  attrs: readonly [OpAttrs[K], ...OpAttrs[K][]],
): OpCases<K> {
  const shapesOf = (shape: readonly number[]) => roles.map(({ scalar }) => (scalar ? [] : shape));
  const spec = (
    shape: readonly number[],
    kindOf: (role: Role) => FillKind | undefined,
    of = attrs[0],
  ): CaseSpec<K> => ({
    attrs: of,
    operands: shapesOf(shape).map((s, i): OperandSpec => operand(s, kindOf(roles[i] ?? parameter), i + 1)),
  });
  const plain = ({ fills }: Role): FillKind | undefined => fills[0];
  const isState = (role: Role): boolean => role === moment || role === secondMoment;
  const named: Record<string, CaseSpec<K>> = {
    'a filter': spec([3, 3, 16, 17], plain),
    'a scalar': spec([], plain),
    '5 elements': spec([5], plain),
    '20000 elements': spec([20_000], plain),
    'nothing moves': spec([7], (role) => (role === gradient || isState(role) ? 'zeros' : plain(role))),
  };
  for (const other of attrs) named[JSON.stringify(other)] = spec([2, 9], plain, other);
  for (const fill of valueFills) {
    const filled = (role: Role): FillKind | undefined => (role === gradient ? fill : plain(role));
    named[`first step, gradient ${fill}`] = spec([31], (role) => (isState(role) ? 'zeros' : filled(role)));
    named[`later step, gradient ${fill}`] = spec([31], filled);
    named[`parameter ${fill}`] = spec([31], (role) => (role === parameter ? fill : plain(role)));
  }
  for (const fill of rates) named[`rates ${fill}`] = spec([31], (role) => (role.scalar ? fill : plain(role)));
  return {
    named,
    arbitrary: shapeArbitrary.chain((shape) =>
      fc.record({
        attrs: fc.constantFrom(...attrs),
        operands: operandsArbitrary(
          shapesOf(shape),
          roles.map(({ fills }) => fills),
        ),
      }),
    ),
  };
}

const adamAttrs = [
  { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  { beta1: 0.8, beta2: 0.99, epsilon: 1e-8 },
  { beta1: 0.9, beta2: 0.95, epsilon: 1e-3 },
] as const;

export const optimizerCases = {
  adam: withGuard<'adam'>([parameter, moment, secondMoment, gradient, rate], adamAttrs),
  adamW: withGuard<'adamW'>([parameter, moment, secondMoment, gradient, rate, rate], adamAttrs),
  sgdMomentum: withGuard<'sgdMomentum'>(
    [parameter, moment, gradient, rate],
    [
      { momentum: 0.9, nesterov: false },
      { momentum: 0.9, nesterov: true },
      { momentum: 0, nesterov: false },
      { momentum: 0, nesterov: true },
      { momentum: 1, nesterov: true },
    ],
  ),
};
