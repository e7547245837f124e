export { createReferenceBackend, type ReferenceBackend, type ReferenceOptions } from './backend.ts';
export { boundGraph, type BoundOptions, type GraphBounds } from './bound/bound-graph.ts';
export { smallestNormal, unitRoundoff } from './bound/context.ts';
export { claimedBound, kernelBound, largestBound } from './bound/kernel-bound.ts';
export type { KernelBound } from './bound/spread.ts';
export {
  checkGradients,
  type CheckedDerivative,
  type GradientCheck,
  type GradientCheckOptions,
} from './check-gradients.ts';
export { compare, explain, indexOf, type Comparison, type Verdict } from './compare.ts';
export {
  nameValues,
  resultsOf,
  runOp,
  runOracle,
  singleOpGraph,
  storageOf,
  type OracleValues,
  type SingleOp,
  type SingleOpGraph,
} from './oracle.ts';
export type { ReferenceTensor } from './tensor.ts';
