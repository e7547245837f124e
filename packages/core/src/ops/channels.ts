import { ShapeError } from '../errors.ts';
import { perElement } from './cost.ts';
import { channelsOf, f32, operand } from './infer.ts';
import type { OpDef } from './op-def.ts';

function checkCount(name: string, count: number, least: number): void {
  if (!Number.isInteger(count) || count < least)
    throw new ShapeError(`${name} of ${count} must be a whole number of ${least} or more`);
}

/**
 * Adds channels of zeros before and after those of x. Exact.
 *
 * @shape x       […, channels]
 * @shape returns […, before + channels + after]
 * @source He et al. 2015, §3.3, option A
 */
export const padChannels: OpDef<'padChannels'> = {
  kind: 'padChannels',
  operands: () => ['x'],
  results: ['y'],
  infer(inputs, { before, after }) {
    const x = operand(inputs, 0, 'x');
    const channels = channelsOf(x, 'x');
    checkCount('before', before, 0);
    checkCount('after', after, 0);
    return [f32([...x.shape.slice(0, -1), before + channels + after])];
  },
  vjp(build, { inputs: [x], attrs: { before } }, [dy]) {
    if (dy == null || x === undefined) return [null];
    return [build.op('sliceChannels', [dy], { first: before, count: build.spec(x).shape.at(-1) ?? 0 })];
  },
  cost: perElement(0),
};

/**
 * Keeps `count` channels of x from `first` on. Exact.
 *
 * @shape x       […, channels]
 * @shape returns […, count]
 */
export const sliceChannels: OpDef<'sliceChannels'> = {
  kind: 'sliceChannels',
  operands: () => ['x'],
  results: ['y'],
  infer(inputs, { first, count }) {
    const x = operand(inputs, 0, 'x');
    const channels = channelsOf(x, 'x');
    checkCount('first', first, 0);
    checkCount('count', count, 1);
    if (first + count > channels) {
      throw new ShapeError(`channels ${first} to ${first + count - 1} do not lie within the ${channels} channels of x`);
    }
    return [f32([...x.shape.slice(0, -1), count])];
  },
  vjp(build, { inputs: [x], attrs: { first, count } }, [dy]) {
    if (dy == null || x === undefined) return [null];
    const channels = build.spec(x).shape.at(-1) ?? 0;
    return [build.op('padChannels', [dy], { before: first, after: channels - first - count })];
  },
  cost: perElement(0),
};
