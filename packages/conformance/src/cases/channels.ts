import * as fc from 'fast-check';
import { operands, operandsArbitrary, shapeArbitrary, valueFills, type CaseSpec, type OpCases } from './op-cases.ts';

const shortcut = [2, 8, 8, 16] as const;

const padChannels: OpCases<'padChannels'> = {
  named: {
    'as many before as after': { attrs: { before: 8, after: 8 }, operands: operands([shortcut]) },
    'none at all': { attrs: { before: 0, after: 0 }, operands: operands([[3, 7]]) },
    'only before, odd channels': { attrs: { before: 3, after: 0 }, operands: operands([[2, 3, 5, 7]]) },
    'only after, one channel': { attrs: { before: 0, after: 5 }, operands: operands([[9, 1]]) },
    'more rows than a task': { attrs: { before: 1, after: 1 }, operands: operands([[7001, 3]]) },
    'a single position': { attrs: { before: 2, after: 1 }, operands: operands([[6]]) },
    ...everyFill({ before: 5, after: 2 }),
  },
  arbitrary: fc
    .record({ shape: shapeArbitrary, before: fc.nat({ max: 9 }), after: fc.nat({ max: 9 }) })
    .chain(({ shape, before, after }) =>
      operandsArbitrary([shape]).map((list) => ({ attrs: { before, after }, operands: list })),
    ),
};

const sliceChannels: OpCases<'sliceChannels'> = {
  named: {
    'the middle half': { attrs: { first: 4, count: 8 }, operands: operands([shortcut]) },
    'all of them': { attrs: { first: 0, count: 7 }, operands: operands([[3, 7]]) },
    'the first': { attrs: { first: 0, count: 1 }, operands: operands([[2, 3, 5, 7]]) },
    'the last': { attrs: { first: 6, count: 1 }, operands: operands([[2, 3, 5, 7]]) },
    'more rows than a task': { attrs: { first: 1, count: 3 }, operands: operands([[7001, 5]]) },
    'a single position': { attrs: { first: 2, count: 3 }, operands: operands([[6]]) },
    ...everyFill({ first: 5, count: 7 }),
  },
  arbitrary: fc
    .record({
      shape: shapeArbitrary,
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .chain(({ shape, from, share }) => {
      const channels = shape.at(-1) ?? 1;
      const first = Math.min(channels - 1, Math.floor(from * channels));
      const count = 1 + Math.floor(share * (channels - first - 1));
      return operandsArbitrary([shape]).map((list) => ({ attrs: { first, count }, operands: list }));
    }),
};

function everyFill<A extends object>(
  attrs: A,
): Record<string, { attrs: A; operands: CaseSpec<'padChannels'>['operands'] }> {
  return Object.fromEntries(valueFills.map((kind) => [kind, { attrs, operands: operands([[5, 43]], kind) }]));
}

export const channelCases = { padChannels, sliceChannels };
