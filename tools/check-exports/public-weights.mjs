// Public weights against an independent engine's predictions and logits, and how many images a second they take:
//
//     node public-weights.mjs WEIGHTS CIFAR BACKEND COUNT [THREADS]
//
// WEIGHTS holds the files, each with FILE.reference.json; CIFAR the binary version of CIFAR-10. On `gpu` everything is
// computed by the processor (SwiftShader). Compiling and reading the images are not timed, preparing them is.
import { readFileSync } from 'node:fs';
import { createGpuBackend } from '@skiplane/kernels-gpu';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { evaluateModel, Evaluator, HostImages, takeDataset } from '@skiplane/resnet';
import { loadCifar10, loadModel } from '@skiplane/resnet/node';

const files = {
  'resnet20-12fca82f.th': 'imagenet',
  'resnet56-4bfd9763.th': 'imagenet',
  'mlcommons-tiny-pretrainedResnet.h5': 'raw',
  'vnncomp2021-resnet_2b.onnx': 'cifar',
};
const batch = 100;

const [weights, cifar, name, count, threads] = process.argv.slice(2);
const backend =
  name === 'gpu'
    ? await createGpuBackend({ software: true })
    : await createWasmBackend(threads === undefined ? {} : { threads: Number(threads) });
const all = (await loadCifar10(cifar)).test;
console.log(`${backend.info.device}: file, images/s, equal, correct, largest difference of a logit of the first 16`);

for (const [file, preprocessing] of Object.entries(files)) {
  const reference = JSON.parse(readFileSync(`${weights}/${file}.reference.json`, 'utf8'));
  const loaded = await loadModel(`${weights}/${file}`, { preprocessing });
  const compile = (data, size) =>
    Evaluator.compile(backend, loaded.model, data, new HostImages(data, loaded.preprocessing), size, { fold: true });
  const first = await compile(takeDataset(all, 0, 16), 16);
  await drain(first.run(loaded.parameters));
  const logits = await first.logits.read();
  const difference = Math.max(...reference.logits16.flat().map((value, i) => Math.abs(value - logits[i])));
  const data = takeDataset(all, 0, Number(count));
  const evaluator = await compile(data, batch);
  const start = performance.now();
  await drain(evaluator.run(loaded.parameters));
  const seconds = (performance.now() - start) / 1000;
  const { predictions, correct } = await evaluateModel({ backend, ...loaded, data, batchSize: batch });
  const equal = predictions.filter((value, i) => String(value) === reference.predictions_10000[i]).length;
  const speed = data.count / seconds;
  console.log(
    `${file}: ${speed.toFixed(speed < 100 ? 1 : 0)}, ${equal} of ${data.count}, ${correct}, ${difference.toExponential(1)}`,
  );
}
backend.dispose();

async function drain(steps) {
  for await (const done of steps) void done;
}
