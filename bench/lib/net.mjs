/**
 * The networks of the Keras example as data, so that every peer builds the same one from the same list:
 * `{ op, name?, inputs, output, … }`, values being numbered, 0 the images. Written from the paper and the example, not
 * from Skiplane's builder; that both agree shows in the logits.
 */

export const classes = 10;
export const imageSize = 32;
export const imageChannels = 3;
export const epsilon = 1e-3;
export const momentum = 0.99;
export const l2 = 1e-4;
export const adam = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

/** @param model  `resnet<depth>v1` or `resnet<depth>v2` */
export function netOf(model) {
  const [, depth, version] = /^resnet(\d+)v([12])$/.exec(model) ?? [];
  const n = (Number(depth) - 2) / (version === '1' ? 6 : 9);
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`no net is named '${model}'`);
  const net = new Net();
  net.finish(version === '1' ? basicBlocks(net, n) : bottlenecks(net, n));
  return net.nodes;
}

class Net {
  nodes = [];
  #shapes = [{ size: imageSize, channels: imageChannels }];

  #add(op, inputs, shape, attributes = {}) {
    const output = this.#shapes.push(shape) - 1;
    this.nodes.push({ op, inputs, output, ...attributes });
    return output;
  }

  /** SAME padding as TensorFlow has it: the odd pixel goes behind. */
  conv(x, name, filters, kernel, stride) {
    const { size, channels } = this.#shapes[x];
    const outSize = Math.ceil(size / stride);
    const total = Math.max((outSize - 1) * stride + kernel - size, 0);
    const pads = [Math.floor(total / 2), Math.ceil(total / 2)];
    const attributes = { name, filters, channels, kernel, stride, size, outSize, pads };
    return this.#add('conv', [x], { size: outSize, channels: filters }, attributes);
  }

  batchNorm(x, name) {
    return this.#add('batchNorm', [x], this.#shapes[x], { name, channels: this.#shapes[x].channels });
  }

  relu(x) {
    return this.#add('relu', [x], this.#shapes[x]);
  }

  add(a, b) {
    return this.#add('add', [a, b], this.#shapes[a]);
  }

  /** Average over the image, then the classes' logits. */
  finish(x) {
    const { channels } = this.#shapes[x];
    const pooled = this.#add('pool', [x], { size: 1, channels });
    this.#add('dense', [pooled], { size: 1, channels: classes }, { name: 'head/dense', channels });
  }
}

function basicBlocks(net, n) {
  let x = net.relu(net.batchNorm(net.conv(0, 'stem/conv', 16, 3, 1), 'stem/bn'));
  for (const stage of [0, 1, 2]) {
    for (let block = 0; block < n; block++) {
      const [scope, filters] = [`stage${stage + 1}/block${block + 1}`, 16 * 2 ** stage];
      const stride = stage > 0 && block === 0 ? 2 : 1;
      let y = net.conv(x, `${scope}/conv1`, filters, 3, stride);
      y = net.relu(net.batchNorm(y, `${scope}/bn1`));
      y = net.batchNorm(net.conv(y, `${scope}/conv2`, filters, 3, 1), `${scope}/bn2`);
      const shortcut = stride === 1 ? x : net.conv(x, `${scope}/projection`, filters, 1, stride);
      x = net.relu(net.add(shortcut, y));
    }
  }
  return x;
}

function bottlenecks(net, n) {
  let x = net.relu(net.batchNorm(net.conv(0, 'stem/conv', 16, 3, 1), 'stem/bn'));
  let inner = 16;
  for (const stage of [0, 1, 2]) {
    const outer = inner * (stage === 0 ? 4 : 2);
    for (let block = 0; block < n; block++) {
      const scope = `stage${stage + 1}/block${block + 1}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const first = stage === 0 && block === 0;
      let y = first ? x : net.relu(net.batchNorm(x, `${scope}/bn1`));
      y = net.conv(y, `${scope}/conv1`, inner, 1, stride);
      y = net.conv(net.relu(net.batchNorm(y, `${scope}/bn2`)), `${scope}/conv2`, inner, 3, 1);
      y = net.conv(net.relu(net.batchNorm(y, `${scope}/bn3`)), `${scope}/conv3`, outer, 1, 1);
      const shortcut = block === 0 ? net.conv(x, `${scope}/projection`, outer, 1, stride) : x;
      x = net.add(shortcut, y);
    }
    inner = outer;
  }
  return net.relu(net.batchNorm(x, 'head/bn'));
}

/** How often each value is used. */
export function usesOf(nodes) {
  const uses = new Map();
  for (const { inputs } of nodes) for (const input of inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  return uses;
}

/**
 * The net for inference: a batch norm behind a convolution that nothing else reads becomes part of its filter and bias.
 * @param parameters  Map of name to Float32Array, filters as [height, width, in, out]
 */
export function foldBatchNorms(nodes, parameters) {
  const uses = usesOf(nodes);
  const producers = new Map(nodes.map((node) => [node.output, node]));
  const folded = new Map(parameters);
  const gone = new Set();
  const kept = [];
  for (const node of nodes) {
    const conv = producers.get(node.inputs[0]);
    if (node.op !== 'batchNorm' || conv?.op !== 'conv' || uses.get(conv.output) !== 1) {
      if (node.op !== 'conv') kept.push(node);
      else kept.push({ ...node });
      continue;
    }
    foldInto(conv.name, node.name, folded);
    gone.add(node.name);
    kept.find((candidate) => candidate.output === conv.output).output = node.output;
  }
  for (const name of gone) for (const part of batchNormParts) folded.delete(`${name}/${part}`);
  return { nodes: kept, parameters: folded };
}

export const batchNormParts = ['gamma', 'beta', 'mean', 'variance'];

function foldInto(conv, batchNorm, parameters) {
  const [gamma, beta, mean, variance] = batchNormParts.map((part) => parameters.get(`${batchNorm}/${part}`));
  const scale = Float64Array.from(gamma, (value, channel) => value / Math.sqrt(variance[channel] + epsilon));
  const filter = parameters.get(`${conv}/filter`);
  const bias = parameters.get(`${conv}/bias`);
  const channels = scale.length;
  parameters.set(
    `${conv}/filter`,
    Float32Array.from(filter, (value, index) => value * scale[index % channels]),
  );
  parameters.set(
    `${conv}/bias`,
    Float32Array.from(bias, (value, channel) => beta[channel] + (value - mean[channel]) * scale[channel]),
  );
}

/** The net with each relu that alone reads a convolution as that convolution's `activation`. */
export function fuseRelus(nodes) {
  const uses = usesOf(nodes);
  const kept = [];
  for (const node of nodes) {
    const at = kept.findIndex(({ output }) => output === node.inputs[0]);
    const before = kept[at];
    const fits = node.op === 'relu' && before?.op === 'conv' && uses.get(before.output) === 1;
    if (fits) kept[at] = { ...before, output: node.output, activation: 'relu' };
    else kept.push(node);
  }
  return kept;
}

/** Shape of a parameter as the case has it: filters [height, width, in, out], kernel [in, out]. */
export function parameterShapes(nodes) {
  const shapes = new Map();
  for (const node of nodes) {
    if (node.op === 'conv') {
      shapes.set(`${node.name}/filter`, [node.kernel, node.kernel, node.channels, node.filters]);
      shapes.set(`${node.name}/bias`, [node.filters]);
    } else if (node.op === 'batchNorm') {
      for (const part of batchNormParts) shapes.set(`${node.name}/${part}`, [node.channels]);
    } else if (node.op === 'dense') {
      shapes.set(`${node.name}/kernel`, [node.channels, classes]);
      shapes.set(`${node.name}/bias`, [classes]);
    }
  }
  return shapes;
}

/** Multiply-adds of convolutions and the head for one image, counted as a direct computation does them. */
export const multiplyAdds = (nodes) =>
  nodes.reduce((sum, { op, outSize, kernel, channels, filters }) => {
    if (op === 'conv') return sum + outSize ** 2 * kernel ** 2 * channels * filters;
    return op === 'dense' ? sum + channels * classes : sum;
  }, 0);

/** Runs the list with a peer's own ops, `ops[op](node, ...inputs)`; `share` is called when a value is needed again. */
export function interpret(nodes, images, ops, share = (value) => value) {
  const left = usesOf(nodes);
  const values = new Map([[0, images]]);
  for (const node of nodes) {
    const inputs = node.inputs.map((input) => {
      const value = values.get(input);
      left.set(input, left.get(input) - 1);
      return left.get(input) > 0 ? share(value) : value;
    });
    values.set(node.output, ops[node.op](node, ...inputs));
  }
  return values.get(nodes.at(-1).output);
}
