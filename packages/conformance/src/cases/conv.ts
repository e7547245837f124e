import type { OpAttrs } from '@skiplane/core';
import * as fc from 'fast-check';
import { operands, operandsArbitrary, comparedFills, valueFills, type CaseSpec, type OpCases } from './op-cases.ts';
import {
  convGeometries,
  convGeometryArbitrary,
  geometry,
  outputShape,
  pad,
  windowOf,
  type Geometry,
} from './windows.ts';

/** Where each fill is tried: a layer of the networks, and one that no tile divides. */
const filled = {
  square: geometry([1, 6, 6, 4], [3, 3], 4, [1, 1], pad(1)),
  odd: geometry([1, 5, 7, 3], [3, 2], 5, [2, 1], pad(1, 0)),
} as const satisfies Record<string, Geometry>;

const filterShape = ({ image, size, outChannels }: Geometry) => [...size, image[3], outChannels];

/** Named cases: every geometry, then every fill on two of them. */
function namedCases<K extends 'conv2d' | 'conv2dBackpropInput' | 'conv2dBackpropFilter'>(
  attrs: (geometry: Geometry) => OpAttrs[K],
  shapes: (geometry: Geometry) => readonly (readonly number[])[],
): Record<string, CaseSpec<K>> {
  const cases: Record<string, CaseSpec<K>> = {};
  for (const [name, window] of Object.entries<Geometry>(convGeometries)) {
    cases[name] = { attrs: attrs(window), operands: operands(shapes(window)) };
  }
  for (const [name, window] of Object.entries<Geometry>(filled)) {
    for (const kind of valueFills) {
      cases[`${name}, ${kind}`] = { attrs: attrs(window), operands: operands(shapes(window), kind) };
    }
  }
  return cases;
}

type Epilogue = Pick<OpAttrs['conv2d'], 'bias' | 'residual' | 'activation'>;

const plain: Epilogue = { bias: false, residual: false, activation: 'none' };

const convAttrs = (window: Geometry, epilogue: Epilogue): OpAttrs['conv2d'] => ({
  window: windowOf(window),
  ...epilogue,
});

function convShapes(window: Geometry, { bias, residual }: Epilogue) {
  return [
    window.image,
    filterShape(window),
    ...(bias ? [[window.outChannels]] : []),
    ...(residual ? [outputShape(window)] : []),
  ];
}

/** Geometries that every combination of fused attributes runs on: one for each kind of convolution kernel. */
const epilogueGeometries = [
  '3x3 same',
  '3x3 stride 2, padded bottom and right',
  'bottleneck 1x1',
  'ragged tiles, 13x6',
] as const;

function epilogueCases(): Record<string, CaseSpec<'conv2d'>> {
  const cases: Record<string, CaseSpec<'conv2d'>> = {};
  for (const name of epilogueGeometries) {
    for (const bias of [false, true]) {
      for (const residual of [false, true]) {
        for (const activation of ['none', 'relu'] as const) {
          const epilogue = { bias, residual, activation };
          const parts = [
            ...(bias ? ['bias'] : []),
            ...(residual ? ['residual'] : []),
            ...(activation === 'relu' ? ['relu'] : []),
          ];
          if (parts.length === 0) continue;
          const window = convGeometries[name];
          cases[`${name} + ${parts.join(' + ')}`] = {
            attrs: convAttrs(window, epilogue),
            operands: operands(convShapes(window, epilogue)),
          };
        }
      }
    }
  }
  return cases;
}

const conv2d: OpCases<'conv2d'> = {
  named: {
    ...namedCases<'conv2d'>(
      (window) => convAttrs(window, plain),
      (window) => convShapes(window, plain),
    ),
    ...epilogueCases(),
  },
  arbitrary: fc
    .record({
      window: convGeometryArbitrary,
      epilogue: fc.record({ bias: fc.boolean(), residual: fc.boolean(), activation: fc.constantFrom('none', 'relu') }),
    })
    .chain(({ window, epilogue }) =>
      operandsArbitrary(convShapes(window, epilogue)).map((list) => ({
        attrs: convAttrs(window, epilogue),
        operands: list,
      })),
    ),
};

type InputEpilogue = Pick<OpAttrs['conv2dBackpropInput'], 'residual' | 'activationGrad'>;

function inputAttrs(window: Geometry, epilogue: InputEpilogue): OpAttrs['conv2dBackpropInput'] {
  return { window: windowOf(window), inputSize: [window.image[1], window.image[2]], ...epilogue };
}

function inputShapes(window: Geometry, { residual, activationGrad }: InputEpilogue) {
  return [
    filterShape(window),
    outputShape(window),
    ...(residual ? [window.image] : []),
    ...(activationGrad === 'relu' ? [window.image] : []),
  ];
}

const inputEpilogues = {
  residual: { residual: true, activationGrad: 'none' },
  reluGrad: { residual: false, activationGrad: 'relu' },
  'residual + reluGrad': { residual: true, activationGrad: 'relu' },
} as const satisfies Record<string, InputEpilogue>;

function inputEpilogueCases(): Record<string, CaseSpec<'conv2dBackpropInput'>> {
  const cases: Record<string, CaseSpec<'conv2dBackpropInput'>> = {};
  for (const name of epilogueGeometries) {
    for (const [parts, epilogue] of Object.entries<InputEpilogue>(inputEpilogues)) {
      const window = convGeometries[name];
      const list = operands(inputShapes(window, epilogue));
      cases[`${name} + ${parts}`] = { attrs: inputAttrs(window, epilogue), operands: list };
    }
  }
  return cases;
}

const plainInput: InputEpilogue = { residual: false, activationGrad: 'none' };

const conv2dBackpropInput: OpCases<'conv2dBackpropInput'> = {
  named: {
    ...namedCases<'conv2dBackpropInput'>(
      (window) => inputAttrs(window, plainInput),
      (window) => inputShapes(window, plainInput),
    ),
    ...inputEpilogueCases(),
  },
  arbitrary: fc
    .record({
      window: convGeometryArbitrary,
      epilogue: fc.record({ residual: fc.boolean(), activationGrad: fc.constantFrom('none', 'relu') }),
    })
    .chain(({ window, epilogue }) => {
      const shapes = inputShapes(window, epilogue);
      const mask = shapes.map((_, i) =>
        epilogue.activationGrad === 'relu' && i === shapes.length - 1 ? comparedFills : undefined,
      );
      return operandsArbitrary(shapes, mask).map((list) => ({ attrs: inputAttrs(window, epilogue), operands: list }));
    }),
};

const filterAttrs = (window: Geometry): OpAttrs['conv2dBackpropFilter'] => ({
  window: windowOf(window),
  filterSize: window.size,
});
const filterShapes = (window: Geometry) => [window.image, outputShape(window)];

const conv2dBackpropFilter: OpCases<'conv2dBackpropFilter'> = {
  named: namedCases<'conv2dBackpropFilter'>(filterAttrs, filterShapes),
  arbitrary: convGeometryArbitrary.chain((window) =>
    operandsArbitrary(filterShapes(window)).map((list) => ({ attrs: filterAttrs(window), operands: list })),
  ),
};

export const convCases = { conv2d, conv2dBackpropInput, conv2dBackpropFilter };
