import { ValueError } from '../../errors.ts';
import { transformLength } from '../../ops/images.ts';
import { at, smallestNormal, tabulate, type BoundContext, type BoundRules } from './context.ts';

export const imageRules: Pick<BoundRules, 'gatherImages'> = {
  // A choice of pixels, and a difference. Blends are two levels of two products, a sum and 1 − weight: 6 roundings more, and
  // a weight may itself be off by u, absolutely, on either axis.
  async gatherImages(context, { transformed, interpolationOrder }) {
    if (context.inexact('images', 'indices', ...(transformed ? ['transforms'] : []))) {
      throw new ValueError('gatherImages: no bound holds when images, indices or transforms have errors.');
    }
    const inherited = largest(context.error('values')) + largest(context.error('mean')) + 4 * smallestNormal;
    const scale = context.scale('x');
    if (!transformed || interpolationOrder === 0)
      return { x: scale.map((magnitude) => context.u * magnitude + inherited) };
    const mean = (await context.magnitudes({ transforms: betweenPixels(context) }))['x'] ?? new Float64Array();
    return { x: scale.map((magnitude, i) => context.u * (7 * magnitude + 8 * at(mean, i)) + inherited) };
  },
};

const largest = (errors: Float64Array): number => errors.reduce((most, error) => Math.max(most, error), 0);

/** The transforms with every fractional shift moved to the middle of its two pixels, where all pixels around weigh the same. */
function betweenPixels(context: BoundContext): Float64Array {
  const transforms = context.value('transforms');
  return tabulate(transforms.length, (i) => {
    const part = i % transformLength;
    if (part === 6) return at(transforms, i);
    if (part % 3 > 0) return 0;
    const shift = at(transforms, i) + at(transforms, i + 1) + at(transforms, i + 2);
    return Number.isInteger(shift) ? shift : Math.floor(shift) + 0.5;
  });
}
