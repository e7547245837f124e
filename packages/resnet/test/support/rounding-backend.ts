import type { Backend, Tensor } from '@skiplane/core';
import { createReferenceBackend, type ReferenceTensor } from '@skiplane/core/reference';

/**
 * The reference backend with float32 state, as devices have it: after every run, what the bound tensors hold is rounded.
 * (By itself it keeps float64 in the tensors from run to run, which no checkpoint could carry over.)
 */
export function roundingBackend(): Backend & { readonly liveTensors: () => number } {
  const reference = createReferenceBackend();
  const tensors = new Map<Tensor, ReferenceTensor>();
  const disposed = new Set<Tensor>();
  return {
    name: reference.name,
    info: reference.info,
    tensor: (spec, data) => {
      const tensor = reference.tensor(spec, data);
      tensors.set(tensor, tensor);
      const dispose = tensor.dispose.bind(tensor);
      tensor.dispose = () => {
        disposed.add(tensor);
        dispose();
      };
      return tensor;
    },
    compile: async (graph, bindings, options) => {
      const program = await reference.compile(graph, bindings, options);
      const bound = [...bindings.values()].flatMap((tensor) => tensors.get(tensor) ?? []);
      const run = program.run.bind(program);
      program.run = async () => {
        await run();
        for (const { values } of bound) for (let i = 0; i < values.length; i++) values[i] = Math.fround(values[i] ?? 0);
      };
      return program;
    },
    dispose: () => reference.dispose(),
    [Symbol.dispose]: () => reference.dispose(),
    liveTensors: () => tensors.size - disposed.size,
  };
}
