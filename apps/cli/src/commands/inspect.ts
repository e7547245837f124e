import type { Command } from '@commander-js/extra-typings';
import { entryOption, jsonOption } from './shared.ts';

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('look into weights of any kind: layers, tensors, metadata, SHA-256')
    .argument('<file>', 'checkpoint, Keras .h5 or .keras, model.json, PyTorch .pt or .th, safetensors, ONNX')
    .option('--tensors', 'list the tensors, even where the layers are known')
    .addOption(entryOption())
    .addOption(jsonOption())
    .action(async (file, options) => {
      const { inspect } = await import('../inspect/run.ts');
      await inspect(file, options);
    });
}
