import { SkiplaneError } from '@skiplane/core';
import type { ShaderName } from './generated/sources.ts';
import { shaderOf, type Access } from './shader.ts';

type Constants = Readonly<Record<string, number>>;

const compute = 0x4; // GPUShaderStage.COMPUTE

/** Compiled kernels of a device; the same kernel with the same override constants is compiled once. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #modules = new Map<string, Promise<GPUShaderModule>>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  /** Layout of a kernel's numbers, the same for all. */
  readonly paramsLayout: GPUBindGroupLayout;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.paramsLayout = device.createBindGroupLayout({
      label: 'params',
      entries: [{ binding: 0, visibility: compute, buffer: { type: 'uniform', hasDynamicOffset: true } }],
    });
  }

  /** Layout of a kernel's operands; kernels with operands of the same access share one. */
  layout(shader: ShaderName): GPUBindGroupLayout {
    const accesses = shaderOf(shader).bindings;
    const key = accesses.join();
    const found = this.#layouts.get(key);
    if (found !== undefined) return found;
    const layout = this.#device.createBindGroupLayout({
      label: key,
      entries: accesses.map((access, binding) => ({
        binding,
        visibility: compute,
        buffer: { type: bufferType(access) },
      })),
    });
    this.#layouts.set(key, layout);
    return layout;
  }

  /**
   * @param constants  of a call: numbers are given to it when it runs, so that only the others take a kernel of their own
   * @param halves  bindings that are held as f16
   * @throws {SkiplaneError} with what the device says of the kernel
   */
  get(shader: ShaderName, constants: Constants, halves: readonly number[] = []): Promise<GPUComputePipeline> {
    const numbers = new Set(shaderOf(shader).params.map(([name]) => name));
    const overrides = Object.entries(constants).filter(([name]) => !numbers.has(name));
    const values = overrides.toSorted(([a], [b]) => (a < b ? -1 : 1));
    const variant = variantOf(shader, halves);
    const key = [variant, ...values.map(([name, value]) => `${name}=${value}`)].join(' ');
    const found = this.#pipelines.get(key);
    if (found !== undefined) return found;
    const pipeline = this.#compile(shader, Object.fromEntries(values), halves, key);
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }

  async #compile(
    shader: ShaderName,
    constants: Constants,
    halves: readonly number[],
    label: string,
  ): Promise<GPUComputePipeline> {
    const layout = this.#device.createPipelineLayout({ bindGroupLayouts: [this.layout(shader), this.paramsLayout] });
    const module = await this.#module(shader, halves);
    try {
      return await this.#device.createComputePipelineAsync({
        label,
        layout,
        compute: { module, entryPoint: 'main', constants: { ...constants } },
      });
    } catch (error) {
      throw new SkiplaneError(
        'GPU',
        `kernel ${label} does not compile: ${(error as Error).message}`,
        { shader },
        error,
      );
    }
  }

  async #module(shader: ShaderName, halves: readonly number[]): Promise<GPUShaderModule> {
    const variant = variantOf(shader, halves);
    const found = this.#modules.get(variant);
    if (found !== undefined) return found;
    const module = this.#create(shader, halves, variant);
    this.#modules.set(variant, module);
    return module;
  }

  async #create(shader: ShaderName, halves: readonly number[], label: string): Promise<GPUShaderModule> {
    const code = await sourceOf(shader, halves);
    this.#device.pushErrorScope('validation');
    const module = this.#device.createShaderModule({ label, code });
    const error = await this.#device.popErrorScope();
    if (error !== null) throw new SkiplaneError('GPU', `kernel ${label} is refused: ${error.message}`, { shader });
    return module;
  }
}

/** Who computes in f32 need not load what rewrites kernels. */
async function sourceOf(shader: ShaderName, halves: readonly number[]): Promise<string> {
  const { source } = shaderOf(shader);
  if (halves.length === 0) return source;
  const { halfStorage } = await import('./half-storage.ts');
  return halfStorage(source, halves);
}

/** A kernel's name with its operands that are held as f16. */
const variantOf = (shader: ShaderName, halves: readonly number[]): string =>
  halves.length === 0 ? shader : `${shader}.f16-${halves.join('-')}`;

const bufferType = (access: Access): GPUBufferBindingType => (access === 'read' ? 'read-only-storage' : 'storage');
