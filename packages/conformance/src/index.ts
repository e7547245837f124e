export type { KernelBound } from './bound/spread.ts';
export { describeBackend, type BackendDescription, type Skip } from './describe-backend.ts';
