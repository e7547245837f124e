import { parameterSpecs, modelConfig } from '@skiplane/resnet';
import { afterAll, describe, expect, test } from 'vitest';
import { casesOf, onDevice, onHost } from './keras/augmentation.ts';
import { boundsOf, imagesBound, kerasError, tenStepsBound } from './keras/bounds.ts';
import { candidates, closeAll, opened, stepsOf, type Candidate } from './keras/candidates.ts';
import { relativeError, tensorError } from './keras/compare.ts';
import {
  readJson,
  readTensors,
  type Inference,
  type KerasModel,
  type OneStep,
  type TenSteps,
} from './keras/fixtures.ts';
import { firstGradients, infer, trainLike, type Trained } from './keras/runs.ts';
import { record, tableOf } from './keras/table.ts';

/** Loops in float64 take a minute for ten steps, and so does a software adapter to compile a network. */
const timeout = 900_000;

afterAll(async () => {
  await closeAll();
  console.log(
    `Largest relative error (L2) of any tensor, from Keras in float64; — is run by SKIPLANE_KERAS=all:\n` +
      tableOf([...candidates.map(({ name }) => name), 'Keras in float32']),
  );
});

const runsOf: Readonly<Record<KerasModel, readonly string[]>> = {
  resnet8v1: ['adam', 'sgd-momentum', 'sgd-nesterov', 'adamw', 'label-smoothing'],
  resnet11v2: ['adam'],
};

/** Adam's run is looked at twice: after its first step, and after ten. */
const trainings = new Map<string, Promise<Trained>>();
async function trained(candidate: Candidate, model: KerasModel, run: string): Promise<Trained> {
  const key = `${candidate.name} ${model} ${run}`;
  const plan = readJson(`${model}/${run}.json`) as TenSteps;
  const training =
    trainings.get(key) ?? trainLike(await opened(candidate), model, plan, stepsOf(candidate, model, run));
  trainings.set(key, training);
  return training;
}

const able = (model: KerasModel, run: string, steps: number): Candidate[] =>
  candidates.filter((candidate) => stepsOf(candidate, model, run) >= steps);

describe.each(['resnet8v1', 'resnet11v2'] as const)('%s is what it is in Keras', (model) => {
  const order = parameterSpecs(modelConfig(model)).map(({ name }) => name);
  const step = readJson(`${model}/training-step.json`) as OneStep;
  const { zeroGradients } = step;

  test.for(able(model, 'adam', 1))('inference on $name', { timeout }, async (candidate, context) => {
    context.skip(candidate.missing !== undefined, candidate.missing);
    const keras = readJson(`${model}/inference.json`) as Inference;
    // The oracle shows that the network is the same; folding rounds the filters once more.
    const ours = await infer(await opened(candidate), model, candidate.name !== 'reference');
    const bounds = boundsOf(candidate);
    for (const quantity of ['logits', 'probabilities'] as const) {
      const fixture = `${model} inference: ${quantity}`;
      const error = record(fixture, candidate.name, relativeError(ours[quantity], keras[quantity].flat()));
      record(fixture, 'Keras in float32', kerasError(model, 'inference', quantity));
      expect(error).toBeLessThanOrEqual(bounds.inference);
    }
    const fixture = `${model} inference: loss with L2`;
    record(fixture, 'Keras in float32', kerasError(model, 'inference', 'loss'));
    expect(record(fixture, candidate.name, relativeError([ours.loss], [keras.loss]))).toBeLessThanOrEqual(bounds.loss);
    expect(relativeError([ours.l2], [keras.l2])).toBeLessThan(1e-12);
    expect(ours.accuracy).toBe(keras.accuracy);
  });

  test.for(able(model, 'adam', 1))('one training step on $name', { timeout }, async (candidate, context) => {
    context.skip(candidate.missing !== undefined, candidate.missing);
    const ours = await trained(candidate, model, 'adam');
    const bounds = boundsOf(candidate);
    const note = (what: string, error: number, keras: number): number => {
      record(`${model} first step: ${what}`, 'Keras in float32', keras);
      return record(`${model} first step: ${what}`, candidate.name, error);
    };
    const loss = relativeError(ours.losses.slice(0, 1), [step.loss]);
    note('loss with L2', loss, kerasError(model, 'training-step', 'loss'));
    expect(loss).toBeLessThanOrEqual(bounds.loss);
    expect(relativeError(ours.l2.slice(0, 1), [step.l2])).toBeLessThan(1e-12);
    expect(ours.accuracies[0]).toBe(step.accuracy);

    const gradients = firstGradients(ours);
    const keras = readTensors(`${model}/training-step.gradients.safetensors`);
    expect([...gradients.keys()].toSorted()).toEqual([...keras.keys()].toSorted());
    for (const [name, samples] of keras) {
      const gradient = gradients.get(name) ?? [];
      if (zeroGradients.includes(name)) {
        expect(
          samples.every((value) => Math.abs(value) < 1e-14),
          `of ${name}`,
        ).toBe(true);
        expect(
          Array.from(gradient).every((value) => value === 0),
          `of ${name}`,
        ).toBe(true);
        continue;
      }
      const error = tensorError(gradient, samples, step.totals.gradients[name]);
      note('gradients', error, kerasError(model, 'training-step', 'gradients'));
      const beforeKinks = order.indexOf(name) < order.indexOf('stage3/block1/conv1/filter');
      expect(error, `of ${name}`).toBeLessThanOrEqual(beforeKinks ? bounds.kink : bounds.gradients);
    }

    for (const [name, samples] of readTensors(`${model}/training-step.moving.safetensors`)) {
      const error = tensorError(ours.afterFirst.parameters.get(name) ?? [], samples);
      note('moving statistics', error, kerasError(model, 'training-step', 'moving'));
      expect(error, `of ${name}`).toBeLessThanOrEqual(bounds.moving);
    }
  });

  describe.each(runsOf[model])('ten steps, %s', (run) => {
    test.for(able(model, run, 10))('on $name', { timeout }, async (candidate, context) => {
      context.skip(candidate.missing !== undefined, candidate.missing);
      const keras = readJson(`${model}/${run}.json`) as TenSteps;
      const ours = await trained(candidate, model, run);
      const check = (quantity: string, error: number, besides: readonly string[], name = quantity): void => {
        const own = kerasError(model, run, quantity, besides);
        record(`${model} ${run}: ${quantity}`, 'Keras in float32', own);
        record(`${model} ${run}: ${quantity}`, candidate.name, error);
        expect(error, `of ${name}`).toBeLessThanOrEqual(tenStepsBound(candidate, quantity));
      };
      expect(ours.losses).toHaveLength(keras.iterations);
      check('losses', relativeError(ours.losses, keras.losses), []);
      check('l2', relativeError(ours.l2, keras.l2), []);
      const wrong = ours.accuracies.map(
        (accuracy, k) => (accuracy - (keras.accuracies[k] ?? 0)) * (keras.batchSizes[k] ?? 0),
      );
      expect(Math.max(...wrong.map(Math.abs)), 'images whose class is another').toBeLessThanOrEqual(
        imagesBound(candidate),
      );
      const { parameters, optimizer } = ours.afterLast;
      for (const [name, samples] of readTensors(`${model}/${run}.weights.safetensors`)) {
        const error = tensorError(parameters.get(name) ?? [], samples, keras.totals['weights']?.[name]);
        // Our biases in front of a batch norm do not move, but for a decay; those of Keras in float32 do.
        if (zeroGradients.includes(name))
          expect(error, `of ${name}`).toBeLessThanOrEqual(run === 'adamw' ? 1e-6 : 1e-10);
        else check('weights', error, zeroGradients, name);
      }
      for (const slot of run === 'adam' ? ['m', 'v'] : []) {
        for (const [name, samples] of readTensors(`${model}/${run}.${slot}.safetensors`)) {
          const values = optimizer[slot]?.get(name) ?? new Float32Array();
          if (zeroGradients.includes(name))
            expect(
              values.every((value) => value === 0),
              `of ${name}`,
            ).toBe(true);
          else check(slot, tensorError(values, samples, keras.totals[slot]?.[name]), zeroGradients, name);
        }
      }
    });
  });
});

describe.each([0, 1] as const)('shifts and flips of order %i are those of ImageDataGenerator', (order) => {
  const keras = readTensors('augmentation.safetensors');
  const errorsOf = (ours: readonly Float32Array[]): number[] =>
    casesOf(order).map(({ image }, n) => relativeError(ours[n] ?? [], keras.get(image) ?? []));
  // Order 0 copies pixels; order 1 blends them in float64, and a GPU in float32.
  const bound = { host: order * 2 ** -24, gpu: order * 2e-7 };

  test('on the host', () => {
    const errors = errorsOf(onHost(order));
    expect(errors).toHaveLength(16);
    for (const error of errors) expect(error).toBeLessThanOrEqual(bound.host);
  });

  test.for(candidates)('on $name', { timeout }, async (candidate, context) => {
    context.skip(candidate.missing !== undefined, candidate.missing);
    for (const error of errorsOf(await onDevice(await opened(candidate), order))) {
      record(`augmentation, order ${order}`, candidate.name, error);
      expect(error).toBeLessThanOrEqual(candidate.name === 'gpu' ? bound.gpu : bound.host);
    }
  });
});
