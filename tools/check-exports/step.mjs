import { TrainingStep, TrainingTensors, parameterSpecs } from '@skiplane/resnet';
import { numbers } from './networks.mjs';

/** The parameters after one step of the optimizer's state that is given, and the batch (a property of the map). */
export async function oneStep(backend, { model, parameters }, state, step, learningRate, optimizer) {
  const batch = 32;
  const labels = new Float32Array(batch * model.classes);
  for (let i = 0; i < batch; i++) labels[i * model.classes + ((i * 7) % model.classes)] = 1;
  const images = numbers(batch * model.imageSize[0] * model.imageSize[1] * model.channels, 11);
  const specs = parameterSpecs(model);
  const metrics = { loss: 0, correct: 0 };
  const tensors = new TrainingTensors(backend, model.name, specs, parameters, { optimizer: state, metrics }, optimizer);
  const program = await TrainingStep.compile(backend, model, tensors, { batch, optimizer });
  await program.run({ images, labels }, learningRate, step);
  return Object.assign(await tensors.readParameters(), { batch: { images, labels } });
}
