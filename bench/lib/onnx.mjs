import onnxProto from 'onnx-proto';
import { toOihw } from './layout.mjs';
import { classes, epsilon, imageChannels, imageSize } from './net.mjs';

const { AttributeProto, ModelProto, TensorProto } = onnxProto.onnx;

/**
 * A net as an ONNX file.
 * @param parameters  Map of name to `{ shape, data }`, as the case has them
 * @shape x      [batch, channels, height, width], the file's input
 * @shape logits [batch, classes], its output
 */
export function onnxModel(nodes, parameters, batch) {
  const last = nodes.at(-1).output;
  const value = (id) => (id === 0 ? 'x' : id === last ? 'logits' : `v${id}`);
  const model = {
    irVersion: 7,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'resnet',
      input: [tensorInfo('x', [batch, imageChannels, imageSize, imageSize])],
      output: [tensorInfo('logits', [batch, classes])],
      initializer: [...parameters].map(([name, tensor]) => initializer(name, tensor)),
      node: nodes.flatMap((node) => writers[node.op](node, node.inputs.map(value), value(node.output))),
    },
  };
  return ModelProto.encode(ModelProto.fromObject(model)).finish();
}

const writers = {
  conv: ({ name, kernel, stride, pads }, [x], y) => {
    const attributes = [
      ints('kernel_shape', [kernel, kernel]),
      ints('strides', [stride, stride]),
      ints('pads', [pads[0], pads[0], pads[1], pads[1]]),
    ];
    return op('Conv', [x, `${name}/filter`, `${name}/bias`], y, attributes);
  },
  batchNorm: ({ name }, [x], y) => {
    const inputs = [x, ...['gamma', 'beta', 'mean', 'variance'].map((part) => `${name}/${part}`)];
    return op('BatchNormalization', inputs, y, [
      { name: 'epsilon', type: AttributeProto.AttributeType.FLOAT, f: epsilon },
    ]);
  },
  relu: (_, inputs, y) => op('Relu', inputs, y),
  add: (_, inputs, y) => op('Add', inputs, y),
  pool: (_, inputs, y) => [...op('GlobalAveragePool', inputs, `${y}/image`), ...op('Flatten', [`${y}/image`], y)],
  dense: ({ name }, [x], y) => op('Gemm', [x, `${name}/kernel`, `${name}/bias`], y),
};

const op = (opType, input, output, attribute = []) => [{ opType, input, output: [output], attribute }];

const ints = (name, values) => ({ name, type: AttributeProto.AttributeType.INTS, ints: values });

const tensorInfo = (name, shape) => ({
  name,
  type: {
    tensorType: { elemType: TensorProto.DataType.FLOAT, shape: { dim: shape.map((dimValue) => ({ dimValue })) } },
  },
});

function initializer(name, { shape, data }) {
  const isFilter = shape.length === 4;
  const values = isFilter ? toOihw(data, shape) : data;
  const dims = isFilter ? [shape[3], shape[2], shape[0], shape[1]] : shape;
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dims, dataType: TensorProto.DataType.FLOAT, rawData };
}
