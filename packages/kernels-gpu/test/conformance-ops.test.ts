import { describeBackend } from '@skiplane/conformance';
import { opKinds } from '@skiplane/core';
import { createGpuBackend } from '../src/index.ts';
import { softwareDrivers } from './software.ts';

// Beside it, composed graphs in conformance-graphs.test.ts: a driver compiles a shader on one core.
for (const { software, runs, timeout } of await softwareDrivers()) {
  describeBackend({
    name: `gpu on ${software}`,
    create: () => createGpuBackend({ software }),
    only: opKinds,
    skip: [{ reason: 'the gpu backend has no kernels for int8', cases: ['quantize', 'dequantize', 'quantizedConv2d'] }],
    runs,
    timeout,
  });
}
