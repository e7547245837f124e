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
