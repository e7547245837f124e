import { describeBackend } from '@skiplane/conformance';
import { createWasmBackend } from '../src/index.ts';

for (const binary of ['simd', 'relaxed-simd'] as const) {
  describeBackend({
    name: `wasm ${binary}`,
    create: () => createWasmBackend({ binary, threads: 1 }),
    variants: {
      '2 threads': () => createWasmBackend({ binary, threads: 2 }),
      '3 threads': () => createWasmBackend({ binary, threads: 3 }),
    },
  });
}

// Which kernel computes a convolution depends on its shape: here either computes all that it can.
for (const conv of ['direct', 'winograd'] as const) {
  describeBackend({
    name: `wasm, every convolution ${conv}`,
    create: () => createWasmBackend({ threads: 2, conv }),
    only: ['conv2d', 'conv2dBackpropInput', 'conv2dBackpropFilter', 'quantizedConv2d'],
  });
}
