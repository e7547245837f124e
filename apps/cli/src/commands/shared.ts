import { Option } from '@commander-js/extra-typings';
import { backendName } from '../backend-names.ts';
import { gpuAdapter } from '../gpu-adapter.ts';
import { wholeNumber } from '../options.ts';

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
