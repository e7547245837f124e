import { describeBackend, type KernelBound } from '@skiplane/conformance';
import { createWasmBackend } from '../src/index.ts';

/**
 * F(4×4,3×3) mixes tiles of 6×6 elements, so that its error follows the largest of them. Over random cases it comes to 1.3 times
 * that bound for a convolution, and to 4.4 times for a filter gradient, whose tiles hold few terms each.
 */
function winogradBound(kernel: string): KernelBound {
  if (!kernel.includes('.winograd-4x4')) return 1;
  return kernel.startsWith('conv2dBackpropFilter') ? { factor: 8, spread: 5 } : { factor: 2, spread: 3 };
}

for (const binary of ['simd', 'relaxed-simd'] as const) {
  describeBackend({
    name: `wasm ${binary}`,
    create: () => createWasmBackend({ binary, threads: 1 }),
    variants: {
      '2 threads': () => createWasmBackend({ binary, threads: 2 }),
      '3 threads': () => createWasmBackend({ binary, threads: 3 }),
    },
    boundFactor: winogradBound,
  });
}

// Which kernel computes a convolution depends on its shape: here either computes all that it can.
for (const conv of ['direct', 'winograd'] as const) {
  describeBackend({
    name: `wasm, every convolution ${conv}`,
    create: () => createWasmBackend({ threads: 2, conv }),
    only: ['conv2d', 'conv2dBackpropInput', 'conv2dBackpropFilter'],
    boundFactor: winogradBound,
  });
}
