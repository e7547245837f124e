import { describe, expect, it } from 'vitest';
import { modelConfig, modelType, summarize } from '../src/index.ts';

/** Parameters of the Keras example's nets: total, trainable, non-trainable (undefined where only the total is published). */
const published: [name: string, total: number, trainable?: number, nonTrainable?: number][] = [
  ['resnet8v1', 78_666, 78_186, 480],
  ['resnet20v1', 274_442, 273_066, 1376],
  ['resnet32v1', 470_218, 467_946, 2272],
  ['resnet44v1', 665_994, 662_826, 3168],
  ['resnet56v1', 861_770, 857_706, 4064],
  ['resnet110v1', 1_742_762, 1_734_666, 8096],
  ['resnet164v1', 2_623_754],
  ['resnet1202v1', 19_558_378],
  ['resnet11v2', 299_178, 297_418, 1760],
  ['resnet20v2', 574_090, 570_602, 3488],
  ['resnet29v2', 849_002, 843_786, 5216],
  ['resnet56v2', 1_673_738, 1_663_338, 10_400],
  ['resnet110v2', 3_323_210, 3_302_442, 20_768],
  ['resnet164v2', 4_972_682],
  ['resnet1001v2', 30_539_498],
  ['plain20', 271_786],
  ['plain32', 467_562],
  ['plain44', 663_338],
  ['plain56', 859_114],
  ['plain110', 1_740_106],
];

/** Multiply-adds of an image in millions as published, and the unit of the last digit given. */
const work: readonly (readonly [name: string, millions: number, unit: number])[] = [
  ['resnet20v1', 40.8, 0.1],
  ['resnet56v1', 125.8, 0.1],
  ['resnet110v1', 253, 1],
  ['resnet20v2', 66.2, 0.1],
  ['resnet29v2', 98, 0.1],
  ['resnet56v2', 193, 1],
  ['resnet1001v2', 3524, 1],
];

describe('parameter counts', () => {
  it.each(published)('%s has %i parameters', (name, total, trainable, nonTrainable) => {
    const { parameters } = summarize(modelConfig(name));
    expect(parameters.total).toBe(total);
    expect(parameters.trainable + parameters.nonTrainable).toBe(total);
    if (trainable !== undefined) expect(parameters.trainable).toBe(trainable);
    if (nonTrainable !== undefined) expect(parameters.nonTrainable).toBe(nonTrainable);
  });

  it('counts the deepest nets in well under a second each', () => {
    const start = performance.now();
    summarize(modelConfig('resnet1202v1'));
    summarize(modelConfig('resnet1001v2'));
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

/** Multiply-adds of 3×3 convolutions that keep their channels. */
const stage = (size: number, channels: number, convs: number) => size * size * 9 * channels * channels * convs;
/** The first convolution of a later stage, which sees half the channels, and the 1×1 projection beside it. */
const first = (size: number, channels: number) => size * size * ((9 + 1) * (channels / 2) * channels);

describe('work', () => {
  it.each(work)('%s needs %f million multiply-adds', (name, millions, unit) => {
    expect(Math.abs(summarize(modelConfig(name)).multiplyAdds / 1e6 - millions)).toBeLessThan(0.6 * unit);
  });

  it('resnet20v1 to the last one', () => {
    const stem = 32 * 32 * 9 * 3 * 16;
    const expected =
      stem + stage(32, 16, 6) + first(16, 32) + stage(16, 32, 5) + first(8, 64) + stage(8, 64, 5) + 64 * 10;
    expect(summarize(modelConfig('resnet20v1')).multiplyAdds).toBe(expected);
  });

  it('plain nets cost what v1 costs without its two projections', () => {
    const projections = 16 * 16 * 16 * 32 + 8 * 8 * 32 * 64;
    expect(summarize(modelConfig('resnet20v1')).multiplyAdds - summarize(modelConfig('plain20')).multiplyAdds).toBe(
      projections,
    );
  });
});

describe('names', () => {
  it.each([
    ['resnet20v1', 'v1', 20, 'ResNet20v1'],
    ['ResNet29v2', 'v2', 29, 'ResNet29v2'],
    ['plain20', 'plain', 20, 'Plain20'],
  ])('%s is a %s net of depth %i', (name, family, depth, type) => {
    const config = modelConfig(name);
    expect(config).toMatchObject({
      name: name.toLowerCase(),
      family,
      depth,
      imageSize: [32, 32],
      channels: 3,
      classes: 10,
    });
    expect(modelType(config)).toBe(type);
  });

  it.each([
    ['resnet21v1', 'depth should be 6n+2 (eg 20, 32, 44 in [a])'],
    ['resnet2v1', 'depth should be 6n+2 (eg 20, 32, 44 in [a])'],
    ['plain19', 'depth should be 6n+2 (eg 20, 32, 44 in [a])'],
    ['resnet57v2', 'depth should be 9n+2 (eg 56 or 110 in [b])'],
    ['resnet20v3', 'a name is resnet<depth>v1'],
    ['resnet20', 'a name is resnet<depth>v1'],
    ['', 'a name is resnet<depth>v1'],
  ])("'%s' is refused", (name, message) => {
    expect(() => modelConfig(name)).toThrow(message);
  });

  it('names the nearest depths', () => {
    expect(() => modelConfig('resnet21v1')).toThrow('the nearest is 20 or 26');
    expect(() => modelConfig('resnet3v2')).toThrow('the nearest is 11');
  });

  it('refuses sizes that are none', () => {
    expect(() => modelConfig('resnet20v1', { imageSize: [32, 0], classes: 2.5 })).toThrow(/image width 0, classes 2.5/);
  });
});
