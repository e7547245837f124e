export { createWasmBackend, type WasmBackendOptions } from './backend.ts';
export type { Binary } from './features.ts';
export type { ConvAlgorithm } from './lower/lowering.ts';
