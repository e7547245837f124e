/** The page of the tests: imports as a user writes them; what the page does then, the tests say. */
import { createTrainer } from '@skiplane/browser';
import { createGpuBackend } from '@skiplane/kernels-gpu';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { encodeModel, loadModel, modelConfig, syntheticDataset, train } from '@skiplane/resnet';

globalThis.skiplane = {
  createGpuBackend,
  createWasmBackend,
  encodeModel,
  loadModel,
  modelConfig,
  syntheticDataset,
  train,
};
globalThis.createTrainer = createTrainer;
