import { inferenceGraph, InferenceProgram } from '@skiplane/resnet';

/** Parameters of a case as Skiplane has them. */
export const valuesOf = (parameters) => new Map([...parameters].map(([name, { data }]) => [name, data]));

/** The program as `predict` runs it, which folds batch norms itself. */
export async function inferenceWorkload(backend, { model, parameters }, batch, images) {
  const program = await InferenceProgram.compile(backend, model, inferenceGraph(model, { batch }));
  const { bound } = program;
  program.writeParameters(parameters);
  let logits;
  return {
    async run() {
      bound.write('x', images);
      await bound.program.run();
      logits = await bound.tensor('logits').read();
    },
    result: async () => logits,
  };
}
