export { createReferenceBackend, type ReferenceBackend, type ReferenceOptions } from './backend.ts';
export type { ReferenceTensor } from './tensor.ts';
export {
  checkGradients,
  type CheckedDerivative,
  type GradientCheck,
  type GradientCheckOptions,
} from './check-gradients.ts';
