import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fuseRelus, imageChannels, imageSize, interpret } from '../lib/net.mjs';
import { serve } from '../lib/serve.mjs';

// As CommonJS, since only that build of the backend is for Node; both must see one core.
const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs-core');
const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm');

/** TensorFlow.js on its wasm backend, with fused convolutions; it has no threads in Node and does not train. */
serve(
  ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'],
  async ({ mode, batch }, { nodes, parameters, images, constants }) => {
    if (mode !== 'inference') throw new Error("tfjs-wasm does not train: it has no kernel 'Conv2DBackpropFilter'");
    setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
    if (!(await tf.setBackend('wasm'))) throw new Error('TensorFlow.js cannot open its wasm backend');
    const p = Object.fromEntries([...parameters].map(([name, { shape, data }]) => [name, tf.tensor(data, shape)]));
    const ops = opsOf(p, constants);
    const fused = fuseRelus(nodes);
    let logits;
    return {
      device: `wasm, ${(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) ? 'SIMD' : 'no SIMD'}, 1 thread`,
      async run() {
        const y = tf.tidy(() =>
          interpret(fused, tf.tensor4d(images, [batch, imageSize, imageSize, imageChannels]), ops),
        );
        logits = await y.data();
        y.dispose();
      },
      result: async () => logits,
    };
  },
);

const opsOf = (p, { epsilon }) => ({
  conv: ({ name, stride, activation }, x) =>
    tf.fused.conv2d({
      x,
      filter: p[`${name}/filter`],
      bias: p[`${name}/bias`],
      strides: stride,
      pad: 'same',
      activation: activation ?? 'linear',
    }),
  batchNorm: ({ name }, x) => {
    const [gamma, beta, mean, variance] = ['gamma', 'beta', 'mean', 'variance'].map((part) => p[`${name}/${part}`]);
    return tf.batchNorm(x, mean, variance, beta, gamma, epsilon);
  },
  relu: (_, x) => tf.relu(x),
  add: (_, a, b) => tf.add(a, b),
  pool: (_, x) => tf.mean(x, [1, 2]),
  dense: ({ name }, x) => tf.add(tf.matMul(x, p[`${name}/kernel`]), p[`${name}/bias`]),
});
