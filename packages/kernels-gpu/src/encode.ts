import type { Step } from './compile.ts';

/** Encodes kernel calls as one pass. */
export function encodePass(
  encoder: GPUCommandEncoder,
  descriptor: GPUComputePassDescriptor,
  steps: readonly Step[],
): void {
  const pass = encoder.beginComputePass(descriptor);
  let current: GPUComputePipeline | undefined;
  for (const { pipeline, bindGroup, params, workgroups } of steps) {
    if (pipeline !== current) pass.setPipeline(pipeline);
    current = pipeline;
    pass.setBindGroup(0, bindGroup);
    pass.setBindGroup(1, params.bindGroup, [params.offset]);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
  }
  pass.end();
}
