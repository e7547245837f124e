import {
  BindingError,
  checkBindings,
  DisposedError,
  compiledGraph,
  UnsupportedError,
  ValueError,
  type Backend,
  type BackendInfo,
  type BackendMemory,
  type CompileOptions,
  type Graph,
  type Program,
  type Tensor,
  type TensorSpec,
  type TypedArray,
} from '@skiplane/core';
import { slotsOf, type CompileProgress } from './compile.ts';
import { Context } from './context.ts';
import { openDevice, type GpuDeviceOptions, type OpenDevice } from './device.ts';
import { bytesWith, halvesWith, type Precision } from './half-values.ts';
import { lowerGraph } from './lower-graph.ts';
import type { ConvAlgorithm, LowerOptions } from './lower/lowering.ts';
import { forget, keepUntilExit } from './open-devices.ts';
import { GpuProgram } from './program.ts';
import { GpuTensor } from './tensor.ts';

export interface GpuBackendOptions extends GpuDeviceOptions {
  /** How convolutions are computed (default `auto`); `direct` has the tightest error bound. */
  readonly conv?: ConvAlgorithm;
  /**
   * What activations and their gradients are held in (default 'f32'). 'f16' halves their memory and traffic, which leaves about 0.6 of
   * that of a training step, needs the feature `shader-f16`, and rounds what is stored to 11 significant bits; tensors, parameters and their gradients,
   * statistics, and all arithmetic stay f32. Train with a scaled loss then, or small gradients underflow.
   */
  readonly precision?: Precision;
  /** Called while a program's kernels compile. */
  readonly onProgress?: CompileProgress;
}

/**
 * Opens the WebGPU backend: in a browser on `navigator.gpu`, in Node on the npm package `webgpu`.
 *
 * ```ts
 * const backend = await createGpuBackend({ powerPreference: 'high-performance' });
 * console.log(backend.info.device); // gpu, NVIDIA GeForce RTX 4070
 * ```
 *
 * @throws {UnsupportedError} without WebGPU, without a fitting adapter, or when the only one computes on the processor and
 *   `software` was not asked for; the message says what to install
 * @throws {UnsupportedError} with precision 'f16' where the adapter has no `shader-f16`
 * @throws {ValueError} when options contradict each other
 */
export async function createGpuBackend(options: GpuBackendOptions = {}): Promise<Backend> {
  const { precision = 'f32' } = options;
  if (!precisions.includes(precision)) {
    throw new ValueError(`precision is '${precision as string}', but must be ${precisions.join(' or ')}.`);
  }
  const open = await openDevice(options);
  if (precision === 'f16' && !open.features.includes('shader-f16')) {
    open.device.destroy();
    throw new UnsupportedError(
      `precision 'f16' needs the feature shader-f16, which the adapter '${open.name}' does not have: use 'f32'.`,
      { adapter: open.name, features: open.features },
    );
  }
  return new GpuBackend(open, options);
}

const precisions: readonly Precision[] = ['f32', 'f16'];

class GpuBackend implements Backend {
  readonly name = 'gpu';
  readonly info: BackendInfo;
  readonly #context: Context;
  readonly #lowerOptions: LowerOptions;
  readonly #precision: Precision;
  readonly #onProgress: CompileProgress | undefined;

  constructor(open: OpenDevice, { conv = 'auto', precision = 'f32', onProgress }: GpuBackendOptions) {
    keepUntilExit(open.device);
    const { name, software, features, limits } = open;
    this.info = {
      device: `gpu, ${software ? `software adapter ${name} (computes on the processor)` : name}`,
      threads: 1,
      features: [
        ...features,
        ...(software ? ['software-adapter'] : []),
        ...(precision === 'f16' ? ['f16-activations'] : []),
      ],
      limits,
      downgrades: [],
    };
    this.#context = new Context(open);
    this.#lowerOptions = {
      conv,
      features: new Set(features),
      limits: {
        maxStorageBufferBindingSize: limits['maxStorageBufferBindingSize'] ?? 2 ** 27,
        maxComputeWorkgroupStorageSize: limits['maxComputeWorkgroupStorageSize'] ?? 16384,
        maxComputeInvocationsPerWorkgroup: limits['maxComputeInvocationsPerWorkgroup'] ?? 256,
      },
    };
    this.#precision = precision;
    this.#onProgress = onProgress;
  }

  get memory(): BackendMemory {
    return this.#context.memory;
  }

  tensor(spec: TensorSpec, data?: TypedArray): Tensor {
    this.#context.check('tensor');
    return new GpuTensor(this.#context, spec, data);
  }

  async compile(graph: Graph, bindings: ReadonlyMap<string, Tensor>, options: CompileOptions = {}): Promise<Program> {
    this.#context.check('compile');
    checkBindings(graph, bindings);
    const tensors = new Map<string, GpuTensor>();
    for (const [name, tensor] of bindings) {
      if (!(tensor instanceof GpuTensor) || !tensor.of(this.#context)) {
        throw new BindingError(`'${name}' is bound to a tensor of another backend.`);
      }
      if (tensor.disposed) throw new DisposedError(`compile: the tensor bound to '${name}' has been disposed.`);
      tensors.set(name, tensor);
    }
    const compiled = await compiledGraph(graph, options, (candidate) => this.#slotBytes(candidate));
    return GpuProgram.compile(this.#context, compiled, tensors, {
      ...options,
      lowerOptions: this.#lowerOptions,
      precision: this.#precision,
      onProgress: this.#onProgress,
    });
  }

  #slotBytes(graph: Graph): number {
    const { slots } = slotsOf(
      graph,
      lowerGraph(graph, this.#lowerOptions),
      bytesWith(halvesWith(this.#precision, graph)),
      true,
    );
    return slots.reduce((sum, bytes) => sum + bytes, 0);
  }

  dispose(): void {
    forget(this.#context.device);
    this.#context.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
