import * as v from 'valibot';
import { fraction, notNegative, oneOf, optional, positive, wholeNumber } from './rules.ts';

const warmUp = optional(
  v.nullable(
    v.variant('kind', [
      v.strictObject({
        kind: v.literal('linear'),
        by: oneOf('epoch', 'iteration'),
        length: positive,
        from: optional(fraction, 0),
      }),
      v.strictObject({ kind: v.literal('untilAccuracy'), rate: positive, accuracy: fraction }),
    ]),
  ),
  null,
);

const piecewise = v.pipe(
  v.strictObject({
    kind: v.literal('piecewise'),
    by: optional(oneOf('epoch', 'iteration'), 'epoch'),
    boundaries: v.array(wholeNumber(1), 'a list of whole numbers'),
    rates: v.array(positive, 'a list of rates'),
    warmUp,
  }),
  v.forward(
    v.partialCheck(
      [['boundaries']],
      ({ boundaries }) => boundaries.every((boundary, i) => boundary > (boundaries[i - 1] ?? 0)),
      'in ascending order',
    ),
    ['boundaries'],
  ),
  v.forward(
    v.partialCheck(
      [['boundaries'], ['rates']],
      ({ boundaries, rates }) => rates.length === boundaries.length + 1,
      'one longer than the boundaries',
    ),
    ['rates'],
  ),
);

export const scheduleSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('constant'), rate: positive, warmUp }),
  piecewise,
  v.strictObject({ kind: v.literal('cosine'), rate: positive, final: optional(notNegative, 0), warmUp }),
  v.strictObject({
    kind: v.literal('oneCycle'),
    start: notNegative,
    peak: positive,
    final: optional(notNegative, 0),
    rise: optional(
      v.pipe(
        v.number('above 0 and below 1'),
        v.check((value) => value > 0 && value < 1, 'above 0 and below 1'),
      ),
      0.25,
    ),
    shape: optional(oneOf('linear', 'cosine'), 'linear'),
    warmUp,
  }),
]);
