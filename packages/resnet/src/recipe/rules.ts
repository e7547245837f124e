import * as v from 'valibot';

/** Building blocks of the recipe's schema. Messages complete the sentence "<path> is <value>, but must be …". */

export const wholeNumber = (min: number) => {
  const rule = `a whole number of ${min} or more`;
  return v.pipe(v.number(rule), v.safeInteger(rule), v.minValue(min, rule));
};

export const positive = v.pipe(
  v.number('above 0'),
  v.finite('finite'),
  v.check((value) => value > 0, 'above 0'),
);

export const notNegative = v.pipe(v.number('0 or more'), v.finite('finite'), v.minValue(0, '0 or more'));

/** From 0, and below 1. */
export const fraction = v.pipe(
  v.number('from 0 to below 1'),
  v.check((value) => value >= 0 && value < 1, 'from 0 to below 1'),
);

export const finite = v.pipe(v.number('a number'), v.finite('finite'));

export const flag = v.boolean('true or false');

export const text = v.string('a text');

/** One of several words or numbers. */
export const oneOf = <const T extends readonly (string | number)[]>(...options: T) =>
  v.picklist(options, options.map((option) => (typeof option === 'string' ? `'${option}'` : option)).join(' or '));

/** A setting that a file may leave out. */
export const optional = v.optional;
