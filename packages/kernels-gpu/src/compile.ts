import {
  planSlots,
  SkiplaneError,
  type Graph,
  type OpReport,
  type SlotPlan,
  type SlotStorage,
  type Value,
  type ValueId,
} from '@skiplane/core';
import { bufferUsage, type Context } from './context.ts';
import { encodePass } from './encode.ts';
import { bytesWith, halvesWith, type Precision } from './half-values.ts';
import type { LowerOptions } from './lower/lowering.ts';
import {
  callsOf,
  checkCall,
  describeCall,
  halfBindings,
  lowerGraph,
  operandsOf,
  piecesOf,
  reportOps,
  type Call,
} from './lower-graph.ts';
import { makeParams, paramsOffset } from './params.ts';
import { guardBytes, padded } from './padding.ts';
import { checkGraphSizes } from './sizes.ts';
import type { GpuTensor } from './tensor.ts';

export interface CompileInput {
  readonly graph: Graph;
  readonly tensors: ReadonlyMap<string, GpuTensor>;
  readonly guard: boolean;
  readonly lowerOptions: LowerOptions;
  readonly precision: Precision;
  readonly onProgress: CompileProgress | undefined;
}

export type CompileProgress = (compiled: number, total: number) => void;

/** One kernel call, ready to encode. */
export interface Step {
  /** Of its op in the graph. */
  readonly op: number;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly params: { readonly bindGroup: GPUBindGroup; readonly offset: number };
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/** A buffer of the program; behind `guardOffset` the guard begins, where the program is guarded. */
interface SlotBuffer {
  readonly buffer: GPUBuffer;
  readonly guardOffset: number;
}

export interface Compiled {
  readonly steps: readonly Step[];
  readonly slots: readonly SlotBuffer[];
  /** Numbers of all steps. */
  readonly params: GPUBuffer;
  readonly ops: readonly OpReport[];
  /** Bytes of the slots that values live in, and of those that only workspaces do. */
  readonly arenaBytes: number;
  readonly workspaceBytes: number;
}

/** Decides all about a program: kernels, buffers, pipelines and bind groups. */
export async function compile(context: Context, input: CompileInput): Promise<Compiled> {
  const { graph, guard, lowerOptions, precision, onProgress } = input;
  const lowered = lowerGraph(graph, lowerOptions);
  const halves = halvesWith(precision, graph);
  const bytesOf = bytesWith(halves);
  checkGraphSizes(context, graph, piecesOf(graph, lowered, bytesOf), input);
  const plan = slotsOf(graph, lowered, bytesOf, !guard);
  const calls = callsOf(graph, lowered);
  const operands = calls.map((call) => operandsOf(plan, call));
  calls.forEach((call, i) => checkCall(call, operands[i] ?? []));

  const pipelines = await compilePipelines(context, calls, halves, onProgress);
  const params = makeParams(context, calls, `numbers of program '${graph.name}'`);
  const slots = plan.slots.map((bytes, i) => makeSlot(context, bytes, guard, `slot ${i} of program '${graph.name}'`));
  try {
    const bufferOf = (storage: SlotStorage): SlotBuffer => {
      const found = storage.kind === 'tensor' ? input.tensors.get(storage.name) : slots[storage.slot];
      if (found === undefined)
        throw new RangeError(`${JSON.stringify(storage)} of graph '${graph.name}' has no buffer`);
      return found;
    };
    const steps = calls.map((call, i): Step => ({
      op: call.index,
      pipeline: pipelines[i] as GPUComputePipeline,
      bindGroup: bind(context, call, (operands[i] ?? []).map(bufferOf), guard),
      params: { bindGroup: params.bindGroup, offset: paramsOffset(i) },
      workgroups: call.dispatch.workgroups,
    }));
    calls.forEach((call, i) => rehearse(context, call, steps[i] as Step));
    await context.settled();
    context.check(`compile '${graph.name}'`);
    const valueSlots = new Set(
      [...plan.storage.values()].map((storage) => (storage.kind === 'slot' ? storage.slot : -1)),
    );
    const total = (used: boolean) =>
      plan.slots.reduce((sum, bytes, slot) => sum + (valueSlots.has(slot) === used ? bytes : 0), 0);
    return {
      steps,
      slots,
      params: params.buffer,
      ops: reportOps(graph, lowered, halves),
      arenaBytes: total(true),
      workspaceBytes: total(false),
    };
  } catch (error) {
    [params, ...slots].forEach(({ buffer }) => context.free(buffer));
    throw error;
  }
}

/** Where the values between ops and the workspaces of kernels live. */
export function slotsOf(
  graph: Graph,
  lowered: ReturnType<typeof lowerGraph>,
  bytesOf: (value: Value) => number,
  share: boolean,
): SlotPlan {
  return planSlots(graph, { workspaces: lowered.map(({ workspaces }) => workspaces), share, bytesOf });
}

/** All pipelines at once: the driver compiles them in parallel. Progress counts kernels, which several calls may share. */
async function compilePipelines(
  context: Context,
  calls: readonly Call[],
  halves: ReadonlySet<ValueId>,
  onProgress: CompileProgress | undefined,
): Promise<readonly GPUComputePipeline[]> {
  const pipelines = calls.map((call) =>
    context.pipelines.get(call.dispatch.shader, call.dispatch.constants, halfBindings(halves, call)),
  );
  const kernels = new Set(pipelines);
  let compiled = 0;
  const count = (): void => onProgress?.(++compiled, kernels.size);
  for (const kernel of kernels) void kernel.then(count, count);
  return Promise.all(
    pipelines.map(async (pipeline, i) => {
      try {
        return await pipeline;
      } catch (error) {
        context.check('compile');
        throw kernelError(calls[i] as Call, (error as Error).message, error);
      }
    }),
  );
}

function makeSlot(context: Context, bytes: number, guard: boolean, what: string): SlotBuffer {
  const { storage, copySource, copyTarget } = bufferUsage;
  const guardOffset = padded(bytes);
  const usage = guard ? storage | copySource | copyTarget : storage;
  return { guardOffset, buffer: context.buffer(guardOffset + (guard ? guardBytes : 0), usage, what) };
}

/** In a guarded program kernels see the guards too, so that what they write there is found and not clipped by the device. */
function bind(context: Context, call: Call, buffers: readonly SlotBuffer[], guard: boolean): GPUBindGroup {
  const entries = buffers.map(({ buffer, guardOffset }, binding) => ({
    binding,
    resource: { buffer, size: guardOffset + (guard ? guardBytes : 0) },
  }));
  const layout = context.pipelines.layout(call.dispatch.shader);
  return context.scope(
    'validation',
    () => context.device.createBindGroup({ label: describeCall(call), layout, entries }),
    (message) => kernelError(call, message),
  );
}

/** Encodes a call by itself, and submits nothing: what the device would refuse in a run is then known to be of this call. */
function rehearse(context: Context, call: Call, step: Step): void {
  const label = describeCall(call);
  context.scope(
    'validation',
    () => {
      const encoder = context.device.createCommandEncoder({ label });
      encodePass(encoder, { label }, [step]);
      encoder.finish();
    },
    (message) => kernelError(call, message),
  );
}

function kernelError(call: Call, message: string, cause?: unknown): SkiplaneError {
  const { op, dispatch } = call;
  const details = { kind: op.kind, label: op.label, kernel: dispatch.shader, constants: dispatch.constants };
  return new SkiplaneError('KERNEL', `${describeCall(call)} is refused by the device: ${message}`, details, cause);
}
