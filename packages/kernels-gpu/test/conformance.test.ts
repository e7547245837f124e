import { describeBackend } from '@skiplane/conformance';
import { createGpuBackend } from '../src/index.ts';
import { softwareDrivers } from './software.ts';

for (const { software, runs, timeout } of await softwareDrivers()) {
  describeBackend({
    name: `gpu on ${software}`,
    create: () => createGpuBackend({ software }),
    runs,
    timeout,
  });
}
