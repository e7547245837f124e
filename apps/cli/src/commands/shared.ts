import { Option } from '@commander-js/extra-typings';
import { backendName } from '../backend-names.ts';
import { gpuAdapter } from '../gpu-adapter.ts';
import { collect, learningRate, seconds, wholeNumber } from '../options.ts';

/** Options that several commands have. */

export const backendOption = () =>
  new Option('--backend <name>', 'auto, wasm, gpu (WebGPU), or reference (the slow float64 oracle)')
    .argParser(backendName)
    .default('auto' as const);

export const gpuOption = () =>
  new Option(
    '--gpu <adapter>',
    "adapter for --backend gpu: its index or a part of its name, low-power, high-performance, or 'software' to compute on the processor",
  ).argParser(gpuAdapter);

export const precisionOption = () =>
  new Option(
    '--precision <type>',
    'what activations are held in on --backend gpu: f32, or f16, which takes about 0.6 of the memory (default: f32)',
  ).choices(['f32', 'f16'] as const);

export const threadsOption = () =>
  new Option('--threads <n>', 'threads to compute with (default: all cores)').argParser(wholeNumber(1, 256));

export const convOption = () =>
  new Option(
    '--conv <algorithm>',
    'how the wasm backend computes convolutions: direct (the tightest error bound), winograd (wherever it applies), or auto, the cheaper one (default: auto)',
  ).choices(['auto', 'direct', 'winograd'] as const);

export const dataOption = () =>
  new Option(
    '--data <source>',
    "a folder or .tar.gz of CIFAR-10's binary version, or 'synthetic' (default: $SKIPLANE_DATA, else the downloaded archive)",
  );

export const dataOnOption = () =>
  new Option(
    '--data-on <place>',
    'host, or device: all images are copied there once (default: device on gpu where they fit, else host)',
  ).choices(['host', 'device'] as const);

export const recipeOption = (preset: string) =>
  new Option('--recipe <name>', `keras, he2015, he2015-warmup, modern, or a JSON file (default: ${preset})`);

export const setOption = () =>
  new Option('--set <path=value>', 'change one setting of the recipe; may be given again').argParser(collect);

export const epochsOption = () =>
  new Option('--epochs <n>', "passes over the training images (default: the recipe's)").argParser(wholeNumber(1));

export const batchOption = () =>
  new Option('--batch <n>', "images a step (default: the recipe's)").argParser(wholeNumber(1));

export const lrOption = () =>
  new Option(
    '--lr <rate>',
    "one learning rate, or 'keras' for the example's schedule (default: the recipe's)",
  ).argParser(learningRate);

export const augmentOption = () =>
  new Option('--augment', 'change the training images at random (default: as the recipe says)');

export const noAugmentOption = () => new Option('--no-augment', 'train on the images as they are');

export const limitTrainOption = () =>
  new Option('--limit-train <n>', 'use only the first n training images').argParser(wholeNumber(1));

export const limitTestOption = () =>
  new Option('--limit-test <n>', 'use only the first n test images').argParser(wholeNumber(1));

export const saveSecondsOption = () =>
  new Option('--save-seconds <n>', 'save the state this often within an epoch (default: 30)').argParser(seconds);

export const weightsOption = () =>
  new Option('--weights <file>', 'a checkpoint, or weights of Keras, PyTorch, TensorFlow.js, safetensors or ONNX');

export const preprocessOption = () =>
  new Option(
    '--preprocess <how>',
    `how images are prepared, where the weights do not say it: keras-mean, unit, raw, imagenet, cifar, or JSON such as '{"scale":1,"mean":[127.5],"std":[127.5]}'`,
  );

export const entryOption = () =>
  new Option('--entry <name>', "which dictionary of a PyTorch file, where it holds several, such as 'state_dict_ema'");

export const jsonOption = () => new Option('--json', 'print JSON on stdout and nothing else there');

export const portOption = () =>
  new Option('--port <n>', 'port to serve on (default: any that is free)').argParser(wholeNumber(1, 65_535));

export const openOption = () => new Option('--no-open', 'do not open the browser');
