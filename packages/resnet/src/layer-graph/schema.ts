import * as v from 'valibot';

/** The shape of a layer graph's JSON text. */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const pair = v.strictTuple([positive, positive]);
const padding = v.strictObject({ top: count, bottom: count, left: count, right: count });
const none = v.strictObject({});
const factor = v.pipe(v.number(), v.finite(), v.gtValue(0));
const pool = v.strictObject({ size: pair, strides: pair, padding });

const layer = <K extends string, S extends v.GenericSchema>(kind: K, attrs: S) =>
  v.strictObject({ name: v.string(), kind: v.literal(kind), inputs: v.array(v.string()), attrs });

export const layerGraphSchema = v.strictObject({
  name: v.string(),
  imageSize: pair,
  channels: positive,
  classes: positive,
  output: v.string(),
  layers: v.pipe(
    v.array(
      v.variant('kind', [
        layer(
          'conv2d',
          v.strictObject({ filters: positive, kernelSize: pair, strides: pair, padding, bias: v.boolean() }),
        ),
        layer('bias', none),
        layer('batchNorm', v.strictObject({ epsilon: v.pipe(v.number(), v.finite(), v.minValue(0)) })),
        layer('relu', none),
        layer('add', none),
        layer('maxPool', pool),
        layer('averagePool', pool),
        layer('globalAveragePool', none),
        layer('dense', v.strictObject({ units: positive, bias: v.boolean() })),
        layer('flatten', none),
        layer('pad', v.strictObject({ padding })),
        layer('padChannels', v.strictObject({ before: count, after: count })),
        layer('subsample', v.strictObject({ strides: pair })),
        layer('concat', none),
        layer('quantize', v.strictObject({ scale: factor })),
        layer('dequantize', v.strictObject({ scale: factor })),
        layer(
          'quantizedConv2d',
          v.strictObject({
            filters: positive,
            kernelSize: pair,
            strides: pair,
            padding,
            residual: v.nullable(factor),
            relu: v.boolean(),
          }),
        ),
      ]),
    ),
    v.maxLength(20_000),
  ),
});
