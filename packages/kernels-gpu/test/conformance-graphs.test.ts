import { describeBackend } from '@skiplane/conformance';
import { createGpuBackend } from '../src/index.ts';
import { softwareDrivers } from './software.ts';

for (const { software, runs, timeout } of await softwareDrivers()) {
  describeBackend({
    name: `graphs, gpu on ${software}`,
    create: () => createGpuBackend({ software }),
    only: ['contract', 'pattern', 'net'],
    runs,
    timeout,
  });
}
