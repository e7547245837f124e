/**
 * How a picture of another shape is fitted to the model's: `cover` cuts off what is too much on both sides, `contain`
 * adds black edges, `fill` distorts.
 */
export const fits = ['cover', 'contain', 'fill'] as const;
export type Fit = (typeof fits)[number];
