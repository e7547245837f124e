import type { Command } from '@commander-js/extra-typings';
import { wholeNumber } from '../options.ts';
import { backendOption, dataOption, jsonOption, preprocessOption, threadsOption } from './shared.ts';

export function addQuantize(program: Command): void {
  program
    .command('quantize')
    .description('make int8 weights, and measure what that does to accuracy, size and speed')
    .argument('<in>', 'a checkpoint, or weights of Keras, PyTorch, TensorFlow.js, safetensors or ONNX')
    .argument('<out>', 'the checkpoint to be written, a .safetensors file')
    .addOption(preprocessOption())
    .addOption(dataOption())
    .option('--calibrate <n>', 'training images that the scales of activations are taken from', wholeNumber(1), 512)
    .option('--limit <n>', 'measure on only the first n test images', wholeNumber(1))
    .option('--batch <n>', 'images at a time', wholeNumber(1), 128)
    .option('--seconds <s>', 'how long to measure the speed', wholeNumber(1), 4)
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (from, to, options) => {
      const { quantize } = await import('../quantize/run.ts');
      await quantize(from, to, options);
    });
}
