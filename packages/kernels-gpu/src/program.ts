import { DisposedError, type CompileOptions, type Graph, type Program, type ProgramReport } from '@skiplane/core';
import { compile, type Compiled, type CompileProgress } from './compile.ts';
import type { Context } from './context.ts';
import { Guard } from './guard.ts';
import type { LowerOptions } from './lower/lowering.ts';
import type { GpuTensor } from './tensor.ts';

export class GpuProgram implements Program {
  readonly report: ProgramReport;
  readonly #context: Context;
  readonly #name: string;
  readonly #tensors: ReadonlyMap<string, GpuTensor>;
  readonly #compiled: Compiled;
  readonly #guard: Guard | undefined;
  #disposed = false;

  private constructor(
    context: Context,
    name: string,
    tensors: ReadonlyMap<string, GpuTensor>,
    compiled: Compiled,
    guard: Guard | undefined,
  ) {
    const { ops, arenaBytes, workspaceBytes } = compiled;
    this.report = { backend: 'gpu', ops, arenaBytes, workspaceBytes };
    this.#context = context;
    this.#name = name;
    this.#tensors = tensors;
    this.#compiled = compiled;
    this.#guard = guard;
  }

  static async compile(
    context: Context,
    graph: Graph,
    tensors: ReadonlyMap<string, GpuTensor>,
    options: CompileOptions & { readonly lowerOptions: LowerOptions; readonly onProgress: CompileProgress | undefined },
  ): Promise<GpuProgram> {
    const { guard = false, lowerOptions, onProgress } = options;
    const compiled = await compile(context, { graph, tensors, guard, lowerOptions, onProgress });
    return new GpuProgram(
      context,
      graph.name,
      tensors,
      compiled,
      guard ? new Guard(context, compiled, tensors) : undefined,
    );
  }

  async run(): Promise<void> {
    const label = `run of program '${this.#name}'`;
    if (this.#disposed) throw new DisposedError(`run: the program '${this.#name}' has been disposed.`);
    for (const [name, tensor] of this.#tensors) {
      if (tensor.disposed) throw new DisposedError(`run: the tensor bound to '${name}' has been disposed.`);
    }
    this.#context.check(label);
    this.#guard?.poison();
    await this.#context.submit(label, (encoder) => this.#encode(encoder, label));
    await this.#guard?.check();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#compiled.slots.forEach(({ buffer }) => buffer.destroy());
    this.#guard?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #encode(encoder: GPUCommandEncoder, label: string): void {
    const pass = encoder.beginComputePass({ label });
    let current: GPUComputePipeline | undefined;
    for (const { pipeline, bindGroup, workgroups } of this.#compiled.steps) {
      if (pipeline !== current) pass.setPipeline(pipeline);
      current = pipeline;
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    }
    pass.end();
  }
}
