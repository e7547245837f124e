import type { Command } from '@commander-js/extra-typings';
import { dataOption, jsonOption, entryOption, preprocessOption } from './shared.ts';

export function addConvert(program: Command): void {
  program
    .command('convert')
    .description('turn weights of any kind into a checkpoint, or into a file of Keras, ONNX or TensorFlow.js')
    .argument('<in>', 'checkpoint, Keras .h5 or .keras, model.json, PyTorch .pt or .th, safetensors, ONNX')
    .argument(
      '<out>',
      'a file to be written, by its ending: .safetensors (a checkpoint), .h5, .keras, .onnx, .json (TensorFlow.js; a folder gets model.json)',
    )
    .addOption(preprocessOption())
    .addOption(entryOption())
    .addOption(dataOption())
    .option('--fold', 'put batch norms into the convolutions before them')
    .addOption(jsonOption())
    .action(async (from, to, options) => {
      const { convert } = await import('../convert/run.ts');
      await convert(from, to, options);
    });
}
