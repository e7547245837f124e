export { createGpuBackend, type GpuBackendOptions } from './backend.ts';
export { listGpuAdapters, type GpuDeviceOptions } from './device.ts';
export { halvesWith, type Precision } from './half-values.ts';
export type { ConvAlgorithm } from './lower/lowering.ts';
export type { SoftwareDriver } from './software-drivers.ts';
