/** What is measured: one row is one job that several contenders do in turn. */

const jsInference = ['skiplane', 'onnxruntime-web', 'onnxruntime-node', 'tfjs-wasm', 'pytorch'];

export const rows = [
  ...['llvmpipe', 'swiftshader'].flatMap((driver) => [
    row('gpu', { mode: 'inference', batch: 32, driver }, ['skiplane', 'jax-js']),
    row('gpu', { mode: 'training', batch: 4, driver }, ['skiplane', 'jax-js']),
  ]),
  ...[1, 32, 128].flatMap((batch) =>
    [1, 2].map((threads) => row('inference', { mode: 'inference', batch, threads }, jsInference)),
  ),
  ...[1, 128].flatMap((batch) =>
    [1, 2].map((threads) => row('int8', { mode: 'inference', batch, threads }, ['skiplane', 'skiplane-int8'])),
  ),
  ...[1, 2].map((threads) => row('training', { mode: 'training', batch: 128, threads }, ['skiplane', 'pytorch'])),
  row('training', { mode: 'training', batch: 32, threads: 1 }, ['skiplane', 'jax-js', 'pytorch']),
  ...[1, 2].flatMap((threads) => [
    row('deep', { model: 'resnet56v2', mode: 'inference', batch: 32, threads }, jsInference),
    row('deep', { model: 'resnet56v2', mode: 'training', batch: 32, threads }, ['skiplane', 'pytorch']),
  ]),
];

function row(group, job, peers) {
  const { model = 'resnet20v1', mode, batch, threads, driver } = job;
  const where = driver ?? `wasm-${threads}t`;
  const what = group === 'int8' ? group : mode;
  return { name: `${model}-${what}-b${batch}-${where}`, group, job: { model, ...job }, peers };
}
