import type { OpAttrs, OpKind, TensorSpec } from '@skiplane/core';
import type { ShaderName } from '../generated/sources.ts';

/** How convolutions are computed: `direct` is the strict choice, `winograd` where it applies, `auto` the cheaper one. */
export type ConvAlgorithm = 'auto' | 'direct' | 'winograd';

/** What a lowering may know of the device. */
export interface LowerOptions {
  readonly conv: ConvAlgorithm;
  readonly limits: LoweringLimits;
  readonly features: ReadonlySet<string>;
}

interface LoweringLimits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
}

/** What a lowering knows of its op: attributes, specs, choices; never buffers. */
export interface OpView<K extends OpKind> {
  readonly attrs: OpAttrs[K];
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly options: LowerOptions;
}

/** An operand of a dispatch: a whole buffer. Update outputs are bound once, through their input. */
export type Binding =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'workspace'; readonly index: number };

/** One kernel call. */
export interface Dispatch {
  /** The kernel's file in src/wgsl, without its extension; its entry point is `main`. */
  readonly shader: ShaderName;
  /** Values of the shader's `override` constants, booleans as 0 and 1, and of the numbers of its `struct Params`. */
  readonly constants: Readonly<Record<string, number>>;
  /** @group(0) @binding(i), in order. */
  readonly bindings: readonly Binding[];
  /** Each at most {@link maxWorkgroups}. */
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/** An op as kernels, in order. */
export interface Lowering {
  /** Kernels as specifications, such as `conv2d.gemm-32x32`. */
  readonly kernels: readonly string[];
  /** Bytes of each workspace: a buffer that the op alone uses while it runs. */
  readonly workspaces: readonly number[];
  readonly dispatches: readonly Dispatch[];
}

export type Lower<K extends OpKind> = (op: OpView<K>) => Lowering;

export const input = (index: number): Binding => ({ kind: 'input', index });
export const output = (index: number): Binding => ({ kind: 'output', index });
export const workspace = (index: number): Binding => ({ kind: 'workspace', index });

/** A lowering to one dispatch without extra memory. */
export function single(kernel: string, dispatch: Dispatch): Lowering {
  return { kernels: [kernel], workspaces: [], dispatches: [dispatch] };
}

/** The spec at `index`, which the builder has checked to be there. */
export function spec(specs: readonly TensorSpec[], index: number): TensorSpec {
  const found = specs[index];
  if (found === undefined) throw new RangeError(`operand ${index} is missing`);
  return found;
}

export function sizes4(of: TensorSpec): [batch: number, height: number, width: number, channels: number] {
  const [batch = 0, height = 0, width = 0, channels = 0] = of.shape;
  return [batch, height, width, channels];
}

/** The tensor as rows of its last axis. */
export function rowsAndChannels(of: TensorSpec): { rows: number; channels: number } {
  const channels = of.shape.at(-1) ?? 1;
  return { rows: of.shape.slice(0, -1).reduce((a, b) => a * b, 1), channels };
}

export const ceilDiv = (a: number, b: number): number => Math.ceil(a / b);

/** The most workgroups along one axis that every device allows. */
export const maxWorkgroups = 65535;

/**
 * Folds a count of workgroups over x and y. The shader counts `workgroup_id.y * num_workgroups.x + workgroup_id.x` and must
 * leave out what lies beyond the count, since the last row may be partly empty.
 */
export function fold(count: number): [x: number, y: number, z: number] {
  const y = ceilDiv(count, maxWorkgroups);
  return [ceilDiv(count, y), y, 1];
}
