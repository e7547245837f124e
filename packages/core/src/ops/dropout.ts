import { ShapeError } from '../errors.ts';
import { perElement } from './cost.ts';
import { expectShape, f32, operand } from './infer.ts';
import type { OpDef } from './op-def.ts';

/** Numbers of the operand `random` of {@link dropout}. */
export const randomLength = 4;

/**
 * The operand `random` of {@link dropout}: a seed, and what tells its numbers apart from others of the seed.
 * @param seed  0 to 2^53 − 1
 * @param step  0 for the first step of all
 * @param part  of the step's batch
 */
export function dropoutRandom(seed: number, step: number, part = 0): Int32Array {
  return Int32Array.of(seed, Math.floor(seed / 2 ** 32), step, part);
}

/** What a random word must be below, so that its element is kept. */
export const keptBelow = (keep: number): number => Math.min(Math.round(keep * 2 ** 32), 2 ** 32 - 1);

/**
 * Drops elements at random: each is kept with a probability of `keep`, and multiplied by `scale`, or else 0. Its own gradient, as the
 * numbers depend only on the operand `random`, on `stream` and on an element's place, and are the same bits on every backend.
 *
 * y[i] = x[i]·scale where word w of Philox4x32-10, counter (4g + l, stream, random[2], random[3]) and key (random[0], random[1]), is less
 * than keep·2³², with i = 16g + 4w + l; else 0
 *
 * @shape random  i32 [4]: see `dropoutRandom`
 * @shape x       any; returns like it
 * @bound  u·|y|; exact with scale 1
 * @throws {ShapeError} when `keep` is not between 0 and 1
 * @source Hinton et al. 2012, "Improving neural networks by preventing co-adaptation of feature detectors"; Salmon et al. 2011
 */
export const dropout: OpDef<'dropout'> = {
  kind: 'dropout',
  operands: () => ['x', 'random'],
  results: ['y'],
  infer(inputs, { keep, stream }) {
    if (!(keep > 0 && keep < 1)) throw new ShapeError(`keep of ${keep} must be more than 0 and less than 1`);
    if (!Number.isInteger(stream) || stream < 0 || stream >= 2 ** 32) {
      throw new ShapeError(`stream of ${stream} must be a whole number from 0 to 2^32 - 1`);
    }
    expectShape(operand(inputs, 1, 'random', 'i32'), 'random', [randomLength], '(seed, step and part)');
    return [f32(operand(inputs, 0, 'x').shape)];
  },
  vjp: (build, { inputs: [, random], attrs }, [dy]) => [
    dy == null || random === undefined ? null : build.op('dropout', [dy, random], attrs),
    null,
  ],
  // Ten rounds for four elements.
  cost: perElement(40),
  inPlace: { output: 0, input: 0 },
};
