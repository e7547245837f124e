import { describeBackend, type KernelBound } from '@skiplane/conformance';
import { createGpuBackend } from '../src/index.ts';
import { softwareDrivers } from './software.ts';

/** F(4×4,3×3) mixes tiles of 6×6 elements, so that its error follows the largest of them. */
function winogradBound(kernel: string): KernelBound {
  if (!kernel.includes('winograd-4x4')) return 1;
  return kernel.startsWith('conv2dBackpropFilter') ? { factor: 8, spread: 5 } : { factor: 2, spread: 3 };
}

for (const { software, runs } of await softwareDrivers()) {
  describeBackend({
    name: `gpu on ${software}`,
    create: () => createGpuBackend({ software }),
    boundFactor: winogradBound,
    runs,
  });
}
