import type { ReferenceKernel } from '../kernel.ts';
import { addInPlace } from './elementwise.ts';
import { guarded } from './guarded.ts';

export const adam = guarded<'adam'>(['parameter', 'm', 'v'], (inputs, outputs, { beta1, beta2, epsilon }) => {
  const gradient = inputs.values('gradient');
  const stepSize = inputs.values('stepSize')[0] as number;
  const parameter = outputs.values('parameter');
  const m = outputs.values('m');
  const v = outputs.values('v');
  for (let at = 0; at < parameter.length; at++) {
    const g = gradient[at] as number;
    const mNew = beta1 * (inputs.values('m')[at] as number) + (1 - beta1) * g;
    const vNew = beta2 * (inputs.values('v')[at] as number) + (1 - beta2) * g * g;
    m[at] = mNew;
    v[at] = vNew;
    parameter[at] = (inputs.values('parameter')[at] as number) - (stepSize * mNew) / (Math.sqrt(vNew) + epsilon);
  }
});

export const adamW = guarded<'adamW'>(['parameter', 'm', 'v'], (inputs, outputs, attrs) => {
  const decay = inputs.values('decay')[0] as number;
  const decayed = inputs.map((operand, name) =>
    name === 'parameter' ? { ...operand, values: operand.values.map((value) => value - decay * value) } : operand,
  );
  adam(decayed, outputs, attrs);
});

export const sgdMomentum = guarded<'sgdMomentum'>(['parameter', 'm'], (inputs, outputs, { momentum, nesterov }) => {
  const gradient = inputs.values('gradient');
  const learningRate = inputs.values('learningRate')[0] as number;
  const parameter = outputs.values('parameter');
  const m = outputs.values('m');
  for (let at = 0; at < parameter.length; at++) {
    const step = learningRate * (gradient[at] as number);
    const mNew = momentum * (inputs.values('m')[at] as number) - step;
    m[at] = mNew;
    parameter[at] = (inputs.values('parameter')[at] as number) + (nesterov ? momentum * mNew - step : mNew);
  }
});

export const assignAdd: ReferenceKernel<'assignAdd'> = (inputs, outputs) => {
  const accumulator = outputs.values('accumulator');
  accumulator.set(inputs.values('accumulator'));
  addInPlace(accumulator, inputs.values('x'));
};
