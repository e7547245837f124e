import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { toNchw, toOihw } from '../lib/layout.mjs';
import { classes, imageChannels, imageSize, interpret } from '../lib/net.mjs';
import { serve } from '../lib/serve.mjs';

/** jax-js in Node: on wasm, or on WebGPU over Dawn, which it finds in `navigator.gpu`. */
serve(['@jax-js/jax', 'webgpu'], async (job, data) => {
  const device = job.driver ? 'webgpu' : 'wasm';
  const name = job.driver ? await provideWebGpu() : 'wasm, 1 thread';
  if (!(await init(device)).includes(device)) throw new Error(`jax-js has no ${device} here`);
  defaultDevice(device);
  const workload = await (job.mode === 'training' ? training : inference)(job, data);
  return { device: name, ...workload };
});

async function provideWebGpu() {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create(['backend=vulkan']);
  const userAgent = `Node.js/${process.versions.node}`;
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent }, configurable: true });
  const { info } = await gpu.requestAdapter();
  return `webgpu, ${info.description || info.device}`;
}

/** jax-js convolves [batch, channels, height, width] by [out, in, height, width]. */
function toArrays(parameters) {
  const arrays = {};
  for (const [name, { shape, data }] of parameters) {
    if (shape.length !== 4) arrays[name] = np.array(data, { shape });
    else arrays[name] = np.array(toOihw(data, shape), { shape: [shape[3], shape[2], shape[0], shape[1]] });
  }
  return arrays;
}

const imagesOf = (data, batch) => np.array(data, { shape: [batch, imageChannels, imageSize, imageSize] });

const perChannel = (x) => x.reshape([1, -1, 1, 1]);

/** The ops of a net; every array of `p` is used once. */
const layers = (p) => ({
  conv: ({ name, stride }, x) =>
    lax.convGeneralDilated(x, p[`${name}/filter`], [stride, stride], 'SAME').add(perChannel(p[`${name}/bias`])),
  relu: (_, x) => nn.relu(x),
  add: (_, a, b) => a.add(b),
  pool: (_, x) => np.mean(x, [2, 3]),
  dense: ({ name }, x) => np.dot(x, p[`${name}/kernel`]).add(p[`${name}/bias`]),
});

const share = (x) => x.ref;

async function inference({ batch }, { nodes, parameters, images, constants }) {
  const weights = toArrays(parameters);
  const predict = jit((p, x) => {
    const batchNorm = ({ name }, y) => {
      const scale = p[`${name}/gamma`].div(np.sqrt(p[`${name}/variance`].add(constants.epsilon)));
      const offset = p[`${name}/beta`].sub(p[`${name}/mean`].mul(scale.ref));
      return y.mul(perChannel(scale)).add(perChannel(offset));
    };
    return interpret(nodes, x, { ...layers(p), batchNorm }, share);
  });
  const pixels = toNchw(images, [batch, imageSize, imageSize, imageChannels]);
  let logits;
  return {
    async run() {
      logits = await predict(tree.ref(weights), imagesOf(pixels, batch)).data();
    },
    result: async () => logits,
  };
}

/** Moving statistics are no weights. */
const isMoving = (name) => /\/(mean|variance)$/.test(name);

async function training({ batch }, { nodes, parameters, images, labels, constants }) {
  const all = toArrays(parameters);
  const pick = (wanted) => Object.fromEntries(Object.entries(all).filter(([name]) => isMoving(name) === wanted));
  let [weights, moving] = [pick(false), pick(true)];
  let moments = { m: tree.map((w) => np.zeros(w.shape), weights), v: tree.map((w) => np.zeros(w.shape), weights) };
  const update = jit(stepOf(nodes, constants));
  const pixels = toNchw(images, [batch, imageSize, imageSize, imageChannels]);
  const { learningRate, beta1, beta2 } = constants.adam;
  let loss;
  let count = 0;
  return {
    async run() {
      count++;
      const rate = np.array((learningRate * Math.sqrt(1 - beta2 ** count)) / (1 - beta1 ** count));
      const y = np.array(labels, { shape: [batch, classes] });
      loss?.dispose();
      [loss, weights, moving, moments] = update(weights, moving, moments, rate, imagesOf(pixels, batch), y);
      // The step is submitted as a whole and in order: to wait for one weight more is to wait for all of it.
      await blockUntilReady([loss, weights['stem/conv/filter']]);
    },
    result: async () => await loss.ref.data(),
  };
}

/** Forward with the batch's statistics, backward, Adam as in Keras, all in one function to be compiled. */
function stepOf(nodes, constants) {
  const { epsilon, momentum, l2, adam } = constants;
  const gradientsOf = valueAndGrad(
    (p, moving, x, y) => {
      const updated = {};
      const penalized = nodes.filter(({ op }) => op === 'conv').map(({ name }) => p[`${name}/filter`].ref);
      const follow = (name, value) => {
        updated[name] = moving[name].mul(momentum).add(lax.stopGradient(value.reshape([-1])).mul(1 - momentum));
      };
      const batchNorm = ({ name }, input) => {
        const mean = np.mean(input.ref, [0, 2, 3], { keepdims: true });
        const centred = input.sub(mean.ref);
        const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
        follow(`${name}/mean`, mean);
        follow(`${name}/variance`, variance.ref);
        const scale = perChannel(p[`${name}/gamma`]).div(np.sqrt(variance.add(epsilon)));
        return centred.mul(scale).add(perChannel(p[`${name}/beta`]));
      };
      const logits = interpret(nodes, x, { ...layers(p), batchNorm }, share);
      const batch = logits.shape[0];
      const entropy = nn
        .logSoftmax(logits)
        .mul(y)
        .sum()
        .mul(-1 / batch);
      const penalty = penalized.map((filter) => np.square(filter).sum()).reduce((a, b) => a.add(b));
      return [entropy.add(penalty.mul(l2)), updated];
    },
    { hasAux: true },
  );
  return (p, moving, { m, v }, rate, x, y) => {
    const [[loss, updated], gradients] = gradientsOf(tree.ref(p), moving, x, y);
    const newM = tree.map((a, g) => a.mul(adam.beta1).add(g.ref.mul(1 - adam.beta1)), m, gradients);
    const newV = tree.map((a, g) => a.mul(adam.beta2).add(np.square(g).mul(1 - adam.beta2)), v, gradients);
    const newP = tree.map((w, a, b) => w.sub(rate.ref.mul(a.ref).div(np.sqrt(b.ref).add(adam.epsilon))), p, newM, newV);
    rate.dispose();
    return [loss, newP, updated, { m: newM, v: newV }];
  };
}
