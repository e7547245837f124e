import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createReferenceBackend } from '@skiplane/core/reference';
import {
  batchBuffers,
  BatchPreparer,
  createPreprocessing,
  inferenceGraph,
  InferenceProgram,
  initialParameters,
  modelConfig,
  parameterSpecs,
} from '@skiplane/resnet';
import { caseDataset } from './case-dataset.mjs';
import { caseImages, checkedImages, files } from './case.mjs';
import { adam, epsilon, foldBatchNorms, l2, momentum, netOf, parameterShapes } from './net.mjs';

const folder = fileURLToPath(new URL('../.cases/', import.meta.url));

/**
 * Writes what all contenders share: net, weights, images, labels and the logits that the float64 reference gives for the
 * first images. Weights are Skiplane's initial ones, batch norms drawn at random, or a forgotten one would not show.
 */
export async function writeCase(model) {
  const config = modelConfig(model);
  const parameters = drawBatchNorms(config, initialParameters(config, 1));
  const data = caseDataset();
  const buffers = batchBuffers(data, caseImages);
  new BatchPreparer(data, createPreprocessing(data)).prepare(null, 0, caseImages, buffers, null);
  const nodes = netOf(model);
  const folded = foldBatchNorms(nodes, parameters);
  const directory = join(folder, model);
  mkdirSync(directory, { recursive: true });
  const description = {
    model,
    constants: { epsilon, momentum, l2, adam },
    training: { nodes, parameters: writeTensors(join(directory, files.parameters), nodes, parameters) },
    inference: {
      nodes: folded.nodes,
      parameters: writeTensors(join(directory, files.folded), folded.nodes, folded.parameters),
    },
    logits: await referenceLogits(config, parameters, buffers.images),
  };
  writeFileSync(join(directory, files.images), buffers.images);
  writeFileSync(join(directory, files.labels), buffers.labels);
  writeFileSync(join(directory, 'case.json'), JSON.stringify(description));
  return directory;
}

/** A fixed sequence of numbers in [0, 1) (Park and Miller's generator). */
function* numbers(state = 1) {
  while (true) yield (state = (state * 48271) % 2147483647) / 2147483647;
}

function drawBatchNorms(config, parameters) {
  const draws = numbers();
  const ranges = { gamma: [0.7, 1.1], beta: [-0.1, 0.1], mean: [-0.2, 0.2], variance: [0.7, 1.5] };
  for (const { name } of parameterSpecs(config)) {
    const range = ranges[name.split('/').at(-1)];
    if (range === undefined) continue;
    parameters.set(
      name,
      parameters.get(name).map(() => range[0] + (range[1] - range[0]) * draws.next().value),
    );
  }
  return parameters;
}

/** Writes tensors one behind the other and gives their places. */
function writeTensors(path, nodes, parameters) {
  const shapes = parameterShapes(nodes);
  const missing = [...parameters.keys()].filter((name) => !shapes.has(name));
  if (missing.length > 0) throw new Error(`the net of the benchmark has no ${missing.join(', ')}`);
  const places = [];
  const chunks = [];
  let offset = 0;
  for (const [name, shape] of shapes) {
    const data = parameters.get(name);
    places.push({ name, shape, offset, count: data.length });
    chunks.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset += data.length;
  }
  writeFileSync(path, Buffer.concat(chunks));
  return places;
}

async function referenceLogits(config, parameters, images) {
  const graph = inferenceGraph(config, { batch: checkedImages });
  const program = await InferenceProgram.compile(createReferenceBackend(), config, graph, { fold: false });
  program.writeParameters(parameters);
  program.bound.write('x', images.subarray(0, images.length * (checkedImages / caseImages)));
  await program.bound.program.run();
  return [...(await program.bound.tensor('logits').read())];
}
