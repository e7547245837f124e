export type {
  Backend,
  BackendInfo,
  BackendMemory,
  CompileOptions,
  Downgrade,
  OpReport,
  OpTiming,
  Profile,
  ProfileMethod,
  Program,
  ProgramReport,
  Recomputation,
} from './backend.ts';
export { checkBindings } from './bindings.ts';
export { GraphBuilder } from './builder.ts';
export { compiledGraph, type CompiledGraph } from './compiled-graph.ts';
export { gradients, type Gradients } from './autodiff.ts';
export * from './errors.ts';
export { evaluate } from './evaluate.ts';
export { foldBatchNorm, foldConvolution, type FoldedGraph, type NormalizedConvolution } from './fold-batch-norm.ts';
export { fuse } from './fuse.ts';
export { heNormal, normalQuantile } from './he-normal.ts';
export { inputValues, readersOf, valueOf, type Graph, type Op, type Value, type ValueId } from './graph.ts';
export type {
  Activation,
  GuardedAttrs,
  InterpolationOrder,
  MovingVariance,
  OpAttrs,
  OpKind,
  Padding2d,
  SizedWindow2d,
  Window2d,
} from './ops/attrs.ts';
export { dropoutRandom, keptBelow, randomLength } from './ops/dropout.ts';
export { writeTransform, transformLength } from './ops/images.ts';
export { opDef, opDefs, opKinds } from './ops/index.ts';
export type { Alias, OpCost, OpDef, OpDefs } from './ops/op-def.ts';
export { adamStepSize } from './ops/optimizer.ts';
export { noPadding, samePadding, window2d } from './ops/window.ts';
export { lifetimes, type Lifetime, type Lifetimes } from './lifetimes.ts';
export { planMemory, type Block, type MemoryPlan, type PlanOptions, type Slot, type Storage } from './plan-memory.ts';
export { planSlots, type SlotOptions, type SlotPlan, type SlotStorage } from './plan-slots.ts';
export { printGraph } from './print-graph.ts';
export { rematerialize, type Rematerialized, type RematerializeOptions } from './rematerialize.ts';
export { permutation, philox4x32, randomStream, uniform, uniforms, type RandomStream } from './random.ts';
export {
  allocate,
  byteLength,
  bytesPerElement,
  elementCount,
  formatShape,
  formatSpec,
  sameShape,
  type DType,
  type Tensor,
  type TensorSpec,
  type TypedArray,
} from './tensor.ts';
export { validateGraph } from './validate.ts';
