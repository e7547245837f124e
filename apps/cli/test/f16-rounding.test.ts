import { halvesWith } from '@skiplane/kernels-gpu';
import {
  batchBuffers,
  BatchPreparer,
  createPreprocessing,
  initialParameters,
  modelConfig,
  syntheticDataset,
} from '@skiplane/resnet';
import { expect, test } from 'vitest';
import { distance, exactly, flipsOf, masksOf, network, u } from './f16/net.ts';

const batch = 4;
const size = 8;
const model = modelConfig('resnet8v1', { imageSize: [size, size] });
const data = syntheticDataset({ count: batch, seed: 1, split: 'train', size });
const buffers = batchBuffers(data, batch);
new BatchPreparer(data, createPreprocessing(data)).prepare(null, 0, batch, buffers, null);

/**
 * What f16 costs a whole network, on any machine: float64, in which the values that the GPU holds as f16 are rounded. N results in a
 * row, each rounded by at most u of itself, independently, come to √N·u in norm.
 */
test('gradients with activations in f16 are as exact as their roundings, but for masks of ReLU that switch', async () => {
  const net = network(model, initialParameters(model, 5), batch, buffers);
  const halves = halvesWith('f16', net.graph);
  const exact = await exactly(net);
  const rounded = await exactly(net, { halves });
  const masked = await exactly(net, { masks: masksOf(net, rounded) });
  const logits = distance(['logits'], rounded, exact);
  const behindMasks = distance(net.gradients, rounded, masked);
  const gradients = distance(net.gradients, rounded, exact);
  const switching = distance(net.gradients, masked, exact);
  const { flips, elements } = flipsOf(net, rounded, exact);
  console.log(
    `${halves.size} values in f16; logits ${logits.toExponential(1)}, gradients ${gradients.toExponential(1)}, ` +
      `behind the same masks ${behindMasks.toExponential(1)}, by masks alone ${switching.toExponential(1)}: ${flips} of ${elements} switched`,
  );
  const bound = Math.sqrt(halves.size) * u;
  expect(logits).toBeGreaterThan(u / 10);
  expect(logits).toBeLessThan(bound);
  expect(behindMasks).toBeLessThan(bound);
  // x is within its error ε of zero in ε/π of the elements, if both are normal.
  const expectedFlips = (elements * bound) / Math.PI;
  expect(flips).toBeLessThan(expectedFlips + 3 * Math.sqrt(expectedFlips));
  // Half of the elements pass, and each that switches is one of them whole.
  expect(gradients).toBeLessThan(bound + Math.sqrt(net.masks.size * 2 * (bound / Math.PI)));
});
