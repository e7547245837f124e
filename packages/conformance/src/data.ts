import { elementCount, formatShape, transformLength, writeTransform } from '@skiplane/core';

/**
 * How a tensor of a case is filled. A kind and a seed stand for all of its elements, so that a failing case prints in a
 * line and fast-check can shrink it to a plainer kind.
 */
export interface Fill {
  readonly kind: FillKind;
  readonly seed: number;
}

export type FillKind = keyof typeof elementFills | keyof typeof rowFills;

/** Numbers in [0, 1). */
type Random = () => number;

const signed = (random: Random): number => 2 * random() - 1;

/** Elements that do not depend on each other. */
const elementFills = {
  uniform: signed,
  zeros: () => 0,
  /**
   * A short binary fraction, whose sums are exact. Sums of another constant round the same way at every term, and reach K·u
   * where the bound, for rounding errors of either sign, allows √K·u.
   */
  equal: () => 0.75,
  /** Zero variance far from zero: a variance by E[x²] − E[x]² drowns in rounding errors. */
  equalLarge: () => 1000.3,
  positive: (random) => 0.1 + random(),
  negative: (random) => -0.1 - random(),
  /** Magnitudes from 2⁻³⁰ to 2³⁰ beside each other. */
  wide: (random) => Math.sign(signed(random)) * 2 ** (60 * random() - 30),
  large: (random) => 1e6 * signed(random),
  small: (random) => 1e-6 * signed(random),
  subnormal: (random) => (random() < 0.5 ? signed(random) : 2 ** -126 * signed(random)),
  signedZeros: (random) => [0, -0, signed(random)][Math.floor(3 * random())] as number,
  /** Small integers: many ties. */
  integers: (random) => Math.floor(5 * random()) - 2,
  sparse: (random) => (random() < 0.8 ? 0 : signed(random)),
  /** Mean 100, deviation 0.3. */
  offset: (random) => 100 + random(),
  /** e^80 is near the end of f32, e^160 beyond it. */
  logits: (random) => 80 * signed(random),
  stepSize: () => 1e-3,
  infinite: () => Number.POSITIVE_INFINITY,
  nan: () => Number.NaN,
  bytes: (random) => Math.floor(256 * random()),
  /** Whole numbers of 32 bits, of which a float keeps the upper ones. */
  words: (random) => Math.floor(2 ** 32 * random()) - 2 ** 31,
  signedBytes: (random) => Math.floor(256 * random()) - 128,
  /** The bytes of which sums are largest. */
  lowestBytes: () => -128,
} satisfies Record<string, (random: Random) => number>;

/** Fills that make each row, along the last axis, a whole. */
const rowFills = {
  oneHot: oneHotRow,
  smoothed: (random, classes) => oneHotRow(random, classes).map((p) => 0.9 * p + 0.1 / classes),
  distribution(random, classes) {
    const weights = Array.from({ length: classes }, () => random() ** 4 + 1e-6);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  },
  /** Uniform, but one element of each row is NaN. */
  nanRow: (random, classes) => oneHotRow(random, classes).map((hot) => (hot === 1 ? Number.NaN : signed(random))),
  /** Transforms of images: shifts within four pixels and flips. */
  shifts: (random) => transformRow(random, () => 8 * random() - 4),
  /** Exactly representable, with zeros among them. */
  wholeShifts: (random) => transformRow(random, () => Math.floor(5 * random()) - 2),
  /** Midway between two pixels, or next to it: what decides which is nearer. */
  halfShifts: (random) =>
    transformRow(random, () => Math.floor(5 * random()) - 2.5 + 2 ** -30 * (Math.floor(3 * random()) - 1)),
  /** Near the image's size and far beyond it. */
  farShifts: (random) => transformRow(random, () => signed(random) * 10 ** (8 * random())),
} satisfies Record<string, (random: Random, classes: number) => readonly number[]>;

function transformRow(random: Random, shift: () => number): readonly number[] {
  const row = new Float32Array(transformLength);
  writeTransform(row, 0, { dy: shift(), dx: shift(), flip: random() < 0.5 });
  return [...row];
}

function oneHotRow(random: Random, classes: number): readonly number[] {
  const hot = Math.floor(classes * random());
  return Array.from({ length: classes }, (_, k) => (k === hot ? 1 : 0));
}

/** The elements that a fill stands for, the same on every machine. */
export function fillData(shape: readonly number[], { kind, seed }: Fill): Float32Array {
  const data = new Float32Array(elementCount(shape));
  const random = mulberry32(seed);
  if (kind in elementFills) {
    const element: (random: Random) => number = elementFills[kind as keyof typeof elementFills];
    return data.map(() => element(random));
  }
  const classes = shape.at(-1) ?? 1;
  const makeRow: (random: Random, classes: number) => readonly number[] = rowFills[kind as keyof typeof rowFills];
  for (let at = 0; at < data.length; at += classes) data.set(makeRow(random, classes), at);
  return data;
}

export function formatFill(shape: readonly number[], { kind, seed }: Fill): string {
  return `${formatShape(shape)} ${kind} (seed ${seed})`;
}

/** @source Tommy Ettinger's mulberry32: a 32-bit counter through a mixing function */
function mulberry32(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
