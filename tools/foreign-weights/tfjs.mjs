// Writes networks as TensorFlow.js saves them: as a page downloads them, trained, with the optimizer (`tfjs-trained.json`),
// and quantized as its converter does it. `tfjs-expected.json` has images and what TensorFlow.js itself predicts.
//
//     npm install --no-save @tensorflow/tfjs@4.22.0 && node tfjs.mjs
import { writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';

const folder = new URL('fixtures/', import.meta.url);
let seed = 1;
const uniform = () => (seed = (seed * 48271) % 2147483647) / 2147483647;

const conv = (x, options) => tf.layers.conv2d({ padding: 'same', ...options }).apply(x);

function network() {
  const input = tf.input({ shape: [8, 8, 3] });
  const unit = (x, filters, strides) => {
    let y = conv(x, { filters, kernelSize: 3, strides, useBias: false });
    y = tf.layers.reLU().apply(tf.layers.batchNormalization().apply(y));
    y = tf.layers.batchNormalization({ epsilon: 1e-5 }).apply(conv(y, { filters, kernelSize: 3 }));
    const shortcut = strides === 1 ? x : conv(x, { filters, kernelSize: 1, strides });
    return tf.layers.activation({ activation: 'relu' }).apply(tf.layers.add().apply([shortcut, y]));
  };
  let x = conv(input, { filters: 4, kernelSize: 3, activation: 'relu' });
  x = unit(unit(tf.layers.maxPooling2d({ poolSize: 2, strides: 1, padding: 'same' }).apply(x), 4, 1), 8, 2);
  x = tf.layers.dropout({ rate: 0.5 }).apply(tf.layers.globalAveragePooling2d({}).apply(x));
  return tf.model({ inputs: input, outputs: tf.layers.dense({ units: 5, activation: 'softmax' }).apply(x) });
}

function draw(model) {
  const values = model.weights.map(({ name, shape }) => {
    const positive = name.includes('variance') || name.includes('gamma');
    const size = shape.reduce((product, length) => product * length, 1);
    return tf.tensor(
      Float32Array.from({ length: size }, () => (positive ? 0.5 + uniform() : uniform() - 0.5)),
      shape,
    );
  });
  model.setWeights(values);
}

async function artifactsOf(model, options) {
  let saved;
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    saved = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  });
  await model.save(handler, options);
  return saved;
}

/** As `quantize_weights` of tensorflowjs does it: zero stays zero. */
function quantized(artifacts, dtype) {
  const [Numbers, most] = { uint8: [Uint8Array, 255], uint16: [Uint16Array, 65535] }[dtype];
  const parts = [];
  let at = 0;
  const weightSpecs = artifacts.weightSpecs.map((spec) => {
    const size = spec.shape.reduce((product, length) => product * length, 1);
    const values = new Float32Array(artifacts.weightData.slice(at, (at += 4 * size)));
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    const scale = high === low ? 1 : (high - low) / most;
    const min = Math.round(low / scale) * scale;
    parts.push(new Uint8Array(Numbers.from(values, (value) => Math.round((value - min) / scale)).buffer));
    return { ...spec, quantization: { dtype, scale, min, original_dtype: 'float32' } };
  });
  return { ...artifacts, weightSpecs, weightData: new Uint8Array(Buffer.concat(parts)).buffer };
}

/** As a page downloads it. */
function write(name, { weightData, weightSpecs, modelTopology, format, generatedBy, convertedBy, trainingConfig }) {
  const weightsManifest = [{ paths: [`./${name}.weights.bin`], weights: weightSpecs }];
  const json = { modelTopology, format, generatedBy, convertedBy, trainingConfig, weightsManifest };
  writeFileSync(new URL(`${name}.json`, folder), JSON.stringify(json));
  writeFileSync(new URL(`${name}.weights.bin`, folder), new Uint8Array(weightData));
}

await tf.setBackend('cpu');
const model = network();
draw(model);
const images = Array.from({ length: 4 * 8 * 8 * 3 }, () => Math.floor(256 * uniform()));
const x = tf.tensor4d(images, [4, 8, 8, 3]).div(255);
const expected = { images };
for (const dtype of ['uint8', 'uint16']) {
  const artifacts = quantized(await artifactsOf(model), dtype);
  write(`tfjs-${dtype}`, artifacts);
  expected[dtype] = await (await tf.loadLayersModel(tf.io.fromMemory(artifacts))).predict(x).array();
}
model.compile({ optimizer: tf.train.adam(1e-3), loss: 'categoricalCrossentropy' });
await model.fit(x, tf.oneHot([0, 1, 2, 3], 5), { epochs: 1, verbose: 0 });
write('tfjs-trained', await artifactsOf(model, { includeOptimizer: true }));
expected.trained = await model.predict(x).array();
writeFileSync(new URL('tfjs-expected.json', folder), JSON.stringify(expected));
