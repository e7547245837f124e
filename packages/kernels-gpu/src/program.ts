import {
  DisposedError,
  type CompiledGraph,
  type CompileOptions,
  type Profile,
  type Program,
  type ProgramReport,
  type Recomputation,
} from '@skiplane/core';
import { compile, type Compiled, type CompileInput } from './compile.ts';
import type { Context } from './context.ts';
import { encodePass } from './encode.ts';
import type { Guard } from './guard.ts';
import { profileSteps } from './profile.ts';
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
    recomputation: Recomputation | null,
  ) {
    const { ops, arenaBytes, workspaceBytes } = compiled;
    this.report = { backend: 'gpu', ops, arenaBytes, workspaceBytes, recomputation };
    this.#context = context;
    this.#name = name;
    this.#tensors = tensors;
    this.#compiled = compiled;
    this.#guard = guard;
  }

  static async compile(
    context: Context,
    { graph, recomputation }: CompiledGraph,
    tensors: ReadonlyMap<string, GpuTensor>,
    options: CompileOptions & Pick<CompileInput, 'lowerOptions' | 'precision' | 'onProgress'>,
  ): Promise<GpuProgram> {
    const { guard = false, lowerOptions, precision, onProgress } = options;
    const watch = guard ? await import('./guard.ts') : undefined;
    const compiled = await compile(context, { graph, tensors, guard, lowerOptions, precision, onProgress });
    const watched = watch && new watch.Guard(context, compiled, tensors);
    return new GpuProgram(context, graph.name, tensors, compiled, watched, recomputation);
  }

  async run(): Promise<void> {
    const label = this.#prepare('run');
    await this.#context.submit(label, (encoder) => encodePass(encoder, { label }, this.#compiled.steps));
    await this.#guard?.check();
  }

  /** By timestamps where the device has them, else by one submission an op. */
  async profile(): Promise<Profile> {
    const label = this.#prepare('profile');
    const { ops, steps } = this.#compiled;
    const { method, times } = await profileSteps(this.#context, label, steps);
    await this.#guard?.check();
    return { method, ops: ops.map((op, index) => ({ ...op, milliseconds: times.get(index) ?? 0 })) };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const { params, slots } = this.#compiled;
    [params, ...slots.map(({ buffer }) => buffer)].forEach((buffer) => this.#context.free(buffer));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** What to call the run. @throws {DisposedError} and what earlier calls have failed with */
  #prepare(action: string): string {
    const label = `${action} of program '${this.#name}'`;
    if (this.#disposed) throw new DisposedError(`${action}: the program '${this.#name}' has been disposed.`);
    for (const [name, tensor] of this.#tensors) {
      if (tensor.disposed) throw new DisposedError(`${action}: the tensor bound to '${name}' has been disposed.`);
    }
    this.#context.check(label);
    this.#guard?.poison();
    return label;
  }
}
