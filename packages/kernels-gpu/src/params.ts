import { SkiplaneError } from '@skiplane/core';
import { bufferUsage, type Context } from './context.ts';
import { describeCall, type Call } from './lower-graph.ts';
import { shaderOf } from './shader.ts';

/** Bytes from one call's numbers to the next: what every device takes as an offset, and more than any kernel has numbers. */
const stride = 256;

/** The numbers of a program's calls: a buffer, and what binds one call's part of it. */
export interface Params {
  readonly buffer: GPUBuffer;
  /** For {@link paramsOffset}. */
  readonly bindGroup: GPUBindGroup;
}

/** Where the numbers of a call begin. @param call  index in its program */
export const paramsOffset = (call: number): number => call * stride;

/** @throws {SkiplaneError} where a lowering leaves out a number that its kernel takes */
export function makeParams(context: Context, calls: readonly Call[], what: string): Params {
  const data = new DataView(new ArrayBuffer(Math.max(1, calls.length) * stride));
  calls.forEach((call, i) => write(data, paramsOffset(i), call));
  const { device, pipelines } = context;
  const buffer = context.buffer(data.byteLength, bufferUsage.uniform | bufferUsage.copyTarget, what);
  device.queue.writeBuffer(buffer, 0, data.buffer);
  const entries = [{ binding: 0, resource: { buffer, size: stride } }];
  return { buffer, bindGroup: device.createBindGroup({ label: what, layout: pipelines.paramsLayout, entries }) };
}

const setters = { u32: 'setUint32', i32: 'setInt32', f32: 'setFloat32' } as const;

function write(data: DataView, begin: number, call: Call): void {
  const { shader, constants } = call.dispatch;
  shaderOf(shader).params.forEach(([name, type], i) => {
    const value = constants[name];
    if (value === undefined) throw new SkiplaneError('KERNEL', `${describeCall(call)} is not given its '${name}'.`);
    data[setters[type]](begin + 4 * i, value, true);
  });
}
