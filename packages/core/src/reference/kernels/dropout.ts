import { keptBelow } from '../../ops/dropout.ts';
import { philox4x32 } from '../../random.ts';
import type { ReferenceKernel } from '../kernel.ts';

/** Elements that four blocks of random numbers are for: element 16g + 4w + l takes word w of block 4g + l. */
const elementsPerGroup = 16;

/** Which elements are kept. */
function dropoutMask(count: number, random: ArrayLike<number>, keep: number, stream: number): Uint8Array {
  const [low = 0, high = 0, step = 0, part = 0] = Array.from(random, (word) => word >>> 0);
  const below = keptBelow(keep);
  const kept = new Uint8Array(count);
  const words = new Uint32Array(4);
  for (let block = 0; block * 4 < count + elementsPerGroup; block++) {
    philox4x32([block, stream, step, part], [low, high], words);
    const first = (block >> 2) * elementsPerGroup + (block & 3);
    words.forEach((word, w) => {
      if (first + 4 * w < count) kept[first + 4 * w] = word < below ? 1 : 0;
    });
  }
  return kept;
}

export const dropout: ReferenceKernel<'dropout'> = (inputs, outputs, { keep, scale, stream }) => {
  const x = inputs.values('x');
  const y = outputs.values('y');
  const kept = dropoutMask(x.length, inputs.values('random'), keep, stream);
  for (let at = 0; at < y.length; at++) y[at] = kept[at] === 1 ? scale * (x[at] as number) : 0;
};
