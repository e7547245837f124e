import type { ValueId } from '@skiplane/core';
import { NetComposer, type Net } from './layers.ts';

const image = [4, 8, 8, 3] as const;
const classes = 10;

function finish(net: NetComposer, last: ValueId): Net {
  const loss = net.loss(last, classes);
  return { ...net.composer.finish({ loss }), loss, parameters: net.parameters };
}

/** Post-activation blocks, as in Keras's v1: one of equal shape, one that halves the image behind a projection. */
export function networkV1(seed: number): Net {
  const net = new NetComposer('v1', seed);
  const layer = (name: string, x: ValueId, channels: number, stride = 1): ValueId =>
    net.batchNorm(`${name}/bn`, net.conv(name, x, channels, 3, stride));
  let x = net.relu(layer('stem', net.composer.input('x', image), 8));
  const inner = layer('block1/conv2', net.relu(layer('block1/conv1', x, 8)), 8);
  x = net.relu(net.composer.add(x, inner));
  const halved = layer('block2/conv2', net.relu(layer('block2/conv1', x, 12, 2)), 12);
  x = net.relu(net.composer.add(net.conv('block2/projection', x, 12, 1, 2), halved));
  return finish(net, x);
}

/** Pre-activation bottlenecks, as in Keras's v2: the first block starts without batch norm, the second halves the image. */
export function networkV2(seed: number): Net {
  const net = new NetComposer('v2', seed);
  const before = (name: string, x: ValueId): ValueId => net.relu(net.batchNorm(`${name}/bn`, x));
  const bottleneck = (
    name: string,
    x: ValueId,
    [inside, outside]: readonly [number, number],
    stride: number,
    first: boolean,
  ): ValueId => {
    const reduced = net.conv(`${name}/conv1`, first ? x : before(`${name}/conv1`, x), inside, 1, stride);
    const middle = net.conv(`${name}/conv2`, before(`${name}/conv2`, reduced), inside, 3);
    const expanded = net.conv(`${name}/conv3`, before(`${name}/conv3`, middle), outside, 1);
    return net.composer.add(net.conv(`${name}/projection`, x, outside, 1, stride), expanded);
  };
  const stem = net.relu(net.batchNorm('stem/bn', net.conv('stem', net.composer.input('x', image), 8, 3)));
  const block1 = bottleneck('block1', stem, [8, 16], 1, true);
  const block2 = bottleneck('block2', block1, [10, 20], 2, false);
  return finish(net, before('tail', block2));
}

/** One convolution, batch norm, relu and the head: small enough to try every subset of its gradients. */
export function smallNetwork(seed: number): Net {
  const net = new NetComposer('small', seed);
  const x = net.composer.input('x', [2, 5, 4, 3]);
  const conv = net.conv('conv', x, 5, 3);
  const out = net.relu(net.batchNorm('bn', conv));
  return finish(net, out);
}
