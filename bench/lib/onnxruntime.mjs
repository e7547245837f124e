import { toNchw } from './layout.mjs';
import { imageChannels, imageSize } from './net.mjs';
import { onnxModel } from './onnx.mjs';

/** Inference by ONNX Runtime, whose two packages have one API. @param options  of the session, and `device` to show */
export async function onnxWorkload({ InferenceSession, Tensor }, { device, ...options }, job, data) {
  const { mode, batch } = job;
  if (mode !== 'inference') throw new Error('ONNX Runtime for JavaScript does not train');
  const session = await InferenceSession.create(onnxModel(data.nodes, data.parameters, batch), options);
  const pixels = toNchw(data.images, [batch, imageSize, imageSize, imageChannels]);
  let logits;
  return {
    device,
    async run() {
      const x = new Tensor('float32', pixels, [batch, imageChannels, imageSize, imageSize]);
      logits = (await session.run({ x })).logits.data;
    },
    result: async () => logits,
  };
}
