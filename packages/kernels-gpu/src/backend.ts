import {
  BindingError,
  checkBindings,
  DisposedError,
  fuse,
  type Backend,
  type BackendInfo,
  type CompileOptions,
  type Graph,
  type Program,
  type Tensor,
  type TensorSpec,
  type TypedArray,
} from '@skiplane/core';
import type { CompileProgress } from './compile.ts';
import { Context } from './context.ts';
import { openDevice, type GpuDeviceOptions, type OpenDevice } from './device.ts';
import type { ConvAlgorithm, LowerOptions } from './lower/lowering.ts';
import { forget, keepUntilExit } from './node-gpu.ts';
import { GpuProgram } from './program.ts';
import { GpuTensor } from './tensor.ts';

export interface GpuBackendOptions extends GpuDeviceOptions {
  /** How convolutions are computed (default `auto`); `direct` has the tightest error bound. */
  readonly conv?: ConvAlgorithm;
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
 * @throws {ValueError} when options contradict each other
 */
export async function createGpuBackend(options: GpuBackendOptions = {}): Promise<Backend> {
  return new GpuBackend(await openDevice(options), options);
}

class GpuBackend implements Backend {
  readonly name = 'gpu';
  readonly info: BackendInfo;
  readonly #context: Context;
  readonly #lowerOptions: LowerOptions;
  readonly #onProgress: CompileProgress | undefined;

  constructor(open: OpenDevice, { conv = 'auto', onProgress }: GpuBackendOptions = {}) {
    keepUntilExit(open.device);
    const { name, software, features, limits } = open;
    this.info = {
      device: `gpu, ${software ? `software adapter ${name} (computes on the processor)` : name}`,
      threads: 1,
      features: software ? [...features, 'software-adapter'] : features,
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
    this.#onProgress = onProgress;
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
    return GpuProgram.compile(this.#context, options.fuse === false ? graph : fuse(graph), tensors, {
      ...options,
      lowerOptions: this.#lowerOptions,
      onProgress: this.#onProgress,
    });
  }

  dispose(): void {
    forget(this.#context.device);
    this.#context.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
