import { globals } from 'webgpu';

/** Classes of WebGPU by name, as Dawn's binding gives them: what it makes are instances of them. */
type Classes = Readonly<
  Record<'GPUDevice' | 'GPUQueue' | 'GPUBuffer', { readonly prototype: Record<string, unknown> }>
>;
const classes = globals as Classes;

interface Methods {
  readonly GPUDevice: GPUDevice;
  readonly GPUQueue: GPUQueue;
  readonly GPUBuffer: GPUBuffer;
}

/**
 * Puts `replacement` in the place of a method of all devices, queues or buffers.
 * @param replacement  is given the object and the method's own implementation, bound to it
 * @returns puts the method back
 */
export function replaceMethod<C extends keyof Methods, M extends keyof Methods[C] & string>(
  className: C,
  method: M,
  replacement: (self: Methods[C], original: Methods[C][M]) => Methods[C][M],
): () => void {
  const { prototype } = classes[className];
  const original = prototype[method] as (...args: unknown[]) => unknown;
  prototype[method] = function (this: Methods[C], ...args: unknown[]): unknown {
    const call = replacement(this, original.bind(this) as Methods[C][M]) as (...values: unknown[]) => unknown;
    return call(...args);
  };
  return () => {
    prototype[method] = original;
  };
}

/** What has been asked of devices since the observation began. */
export interface Counts {
  submits: number;
  buffers: number;
  bindGroups: number;
  pipelines: number;
  writes: number;
  /** Bytes of buffers that are there. */
  bytes: number;
  /** The most submissions that had not ended at one time. */
  inFlight: number;
}

/** Counts what is asked of all devices of this process. @returns counts, and what ends the counting */
export function observe(): { readonly counts: Counts; readonly restore: () => void } {
  const counts: Counts = { submits: 0, buffers: 0, bindGroups: 0, pipelines: 0, writes: 0, bytes: 0, inFlight: 0 };
  const alive = new WeakSet<GPUBuffer>();
  let underWay = 0;
  const restores = [
    replaceMethod('GPUQueue', 'submit', (queue, submit) => (commands) => {
      counts.submits++;
      underWay++;
      counts.inFlight = Math.max(counts.inFlight, underWay);
      submit(commands);
      void queue.onSubmittedWorkDone().then(() => underWay--);
      return undefined;
    }),
    replaceMethod('GPUQueue', 'writeBuffer', (_, write) => (...args: Parameters<GPUQueue['writeBuffer']>) => {
      counts.writes++;
      write(...args);
      return undefined;
    }),
    replaceMethod('GPUDevice', 'createBuffer', (_, create) => (descriptor) => {
      const buffer = create(descriptor);
      counts.buffers++;
      counts.bytes += descriptor.size;
      alive.add(buffer);
      return buffer;
    }),
    replaceMethod('GPUBuffer', 'destroy', (buffer, destroy) => () => {
      if (alive.delete(buffer)) counts.bytes -= buffer.size;
      destroy();
      return undefined;
    }),
    replaceMethod('GPUDevice', 'createBindGroup', (_, create) => (descriptor) => {
      counts.bindGroups++;
      return create(descriptor);
    }),
    replaceMethod('GPUDevice', 'createComputePipelineAsync', (_, create) => (descriptor) => {
      counts.pipelines++;
      return create(descriptor);
    }),
  ];
  return { counts, restore: () => restores.forEach((restore) => restore()) };
}
