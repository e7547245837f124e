import { GraphBuilder, UnsupportedError } from '@skiplane/core';
import { expect, test } from 'vitest';
import { lowerGraph } from '../src/lower-graph.ts';

test('int8 is refused by name, with what to do', () => {
  const build = new GraphBuilder('bytes');
  build.op('quantize', [build.input('x', { shape: [4], dtype: 'f32' })], { multiplier: 1 });
  const options = {
    conv: 'auto',
    features: new Set<string>(),
    limits: {
      maxStorageBufferBindingSize: 2 ** 27,
      maxComputeWorkgroupStorageSize: 16384,
      maxComputeInvocationsPerWorkgroup: 256,
    },
  } as const;
  expect(() => lowerGraph(build.build(), options)).toThrow(UnsupportedError);
  expect(() => lowerGraph(build.build(), options)).toThrow(/'quantize' is an op of int8.*use the wasm backend/);
});
