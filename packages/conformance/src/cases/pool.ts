import { evaluate, GraphBuilder, type OpAttrs, type SizedWindow2d } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { comparedFills, operands, operandsArbitrary, valueFills, type CaseSpec, type OpCases } from './op-cases.ts';
import type { FillKind } from '../data.ts';
import { outputShape, poolGeometries, poolGeometryArbitrary, sizedWindowOf, type Geometry } from './windows.ts';

type PoolKind = 'maxPool2d' | 'maxPool2dGrad' | 'averagePool2d' | 'averagePool2dGrad';

function poolCases<K extends PoolKind>(
  attrs: (geometry: Geometry) => OpAttrs[K],
  shapes: (geometry: Geometry) => readonly (readonly number[])[],
  fills: readonly FillKind[],
): OpCases<K> {
  const named: Record<string, CaseSpec<K>> = {};
  for (const [name, window] of Object.entries<Geometry>(poolGeometries)) {
    named[name] = { attrs: attrs(window), operands: operands(shapes(window)) };
  }
  for (const kind of fills) {
    const window = poolGeometries['ImageNet stem, 3x3 stride 2, overlapping'];
    named[`3x3 stride 2, ${kind}`] = { attrs: attrs(window), operands: operands(shapes(window), kind) };
  }
  return {
    named,
    arbitrary: poolGeometryArbitrary.chain((window) => {
      const list = shapes(window);
      return operandsArbitrary(
        list,
        list.map(() => fills),
      ).map((filled) => ({ attrs: attrs(window), operands: filled }));
    }),
  };
}

const window = (geometry: Geometry) => ({ window: sizedWindowOf(geometry) });
const image = (geometry: Geometry) => [geometry.image];

const maxPool2dGrad: OpCases<'maxPool2dGrad'> = {
  ...poolCases<'maxPool2dGrad'>(
    window,
    (geometry) => [outputShape(geometry), geometry.image, outputShape(geometry)],
    comparedFills,
  ),
  async derive(attrs, [dy = new Float32Array(), x = new Float32Array()], spec) {
    return [dy, x, await maximaOf(x, spec.operands[1]?.shape ?? [], attrs.window)];
  },
};

/** Every maximum is an element of x, so that rounding to f32 changes nothing. */
async function maximaOf(x: Float32Array, shape: readonly number[], pool: SizedWindow2d): Promise<Float32Array> {
  const build = new GraphBuilder('maxima');
  build.output('y', build.op('maxPool2d', [build.input('x', { shape, dtype: 'f32' })], { window: pool }));
  const { y } = await evaluate(createReferenceBackend(), build.build(), { x });
  return y as Float32Array;
}

export const poolCasesByKind = {
  maxPool2d: poolCases<'maxPool2d'>(window, image, valueFills),
  maxPool2dGrad,
  averagePool2d: poolCases<'averagePool2d'>(window, image, valueFills),
  averagePool2dGrad: poolCases<'averagePool2dGrad'>(
    (geometry) => ({ ...window(geometry), inputSize: [geometry.image[1], geometry.image[2]] }),
    (geometry) => [outputShape(geometry)],
    valueFills,
  ),
};
