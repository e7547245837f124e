import type { BackwardPhase } from './conv-phases.ts';
import { backwardPhases } from './conv-phases.ts';
import { addDirectPass } from './conv-direct.ts';
import { windowShape, type ConvShape } from './conv-shape.ts';
import { addWinogradPass, useWinograd } from './conv-winograd.ts';
import { toWholeVectors, withWholeVectors } from './channels.ts';
import { input, output, spec, type Lower } from './lowering.ts';
import { Plan } from './plan.ts';

const forwardTaps: BackwardPhase['taps'] = { rowStart: 0, rowStep: 1, columnStart: 0, columnStep: 1 };

export const conv2d: Lower<'conv2d'> = ({ attrs, inputs, outputs, options }) => {
  const { window, bias, residual, activation } = attrs;
  const shape = windowShape(spec(inputs, 0).shape, spec(inputs, 1).shape, spec(outputs, 0).shape, window);
  const { batch, height, width, inChannels, filterWidth, outHeight, outWidth, outChannels } = shape;
  const epilogue = {
    bias: bias ? input(2) : undefined,
    residual: residual ? input(bias ? 3 : 2) : undefined,
    relu: activation === 'relu',
  };
  const winograd = useWinograd(shape, options);
  const plan = new Plan(winograd ? 'conv2d.winograd-4x4' : 'conv2d.direct-8x8');
  const x = withWholeVectors(plan, input(0), batch * height * width, inChannels);
  const target = { y: output(0), positions: batch * outHeight * outWidth, channels: outChannels, epilogue };
  toWholeVectors(plan, target, (y, rest) => {
    const pass = { shape, x, filter: input(1), y, epilogue: rest };
    if (winograd) return addWinogradPass(plan, { ...pass, backward: false });
    addDirectPass(plan, {
      ...pass,
      view: {
        taps: forwardTaps,
        filterWidth,
        tapStride: inChannels * outChannels,
        innerStride: outChannels,
        columnStride: 1,
      },
      store: { storeHeight: outHeight, storeWidth: outWidth, storeStride: 1, storeTop: 0, storeLeft: 0 },
    });
  });
  return plan.finish();
};

/** The gradient with respect to the input is a convolution of dy with flipped filters whose channels change roles. */
export const conv2dBackpropInput: Lower<'conv2dBackpropInput'> = ({ attrs, inputs, outputs, options }) => {
  const { window, residual, activationGrad } = attrs;
  const filter = spec(inputs, 0).shape;
  const dy = spec(inputs, 1).shape;
  const dx = spec(outputs, 0).shape;
  const { padTop, padLeft, ...forward } = windowShape(dx, filter, dy, window);
  const flipped: ConvShape = {
    ...windowShape(dy, filter, dx, window),
    padTop: forward.filterHeight - 1 - padTop,
    padLeft: forward.filterWidth - 1 - padLeft,
  };
  const { batch, height, width } = forward;
  const epilogue = {
    residual: residual ? input(2) : undefined,
    mask: activationGrad === 'relu' ? input(residual ? 3 : 2) : undefined,
    relu: false,
  };
  const winograd = useWinograd(flipped, options);
  const plan = new Plan(winograd ? 'conv2dBackpropInput.winograd-4x4' : 'conv2dBackpropInput.direct-8x8');
  const x = withWholeVectors(plan, input(1), batch * flipped.height * flipped.width, flipped.inChannels);
  const target = { y: output(0), positions: batch * height * width, channels: forward.inChannels, epilogue };
  toWholeVectors(plan, target, (y, rest) => {
    const pass = { x, filter: input(0), y, epilogue: rest };
    if (winograd) return addWinogradPass(plan, { ...pass, shape: flipped, backward: true });
    for (const { shape, taps, store } of backwardPhases(flipped, { padTop, padLeft, height, width })) {
      addDirectPass(plan, {
        ...pass,
        shape,
        view: {
          taps,
          filterWidth: forward.filterWidth,
          tapStride: forward.inChannels * forward.outChannels,
          innerStride: 1,
          columnStride: forward.outChannels,
        },
        store: { storeHeight: height, storeWidth: width, ...store },
      });
    }
  });
  return plan.finish();
};
