import type { Page } from 'playwright-core';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { encodeCheckpoint, modelConfig, sha256, syntheticDataset, train } from '@skiplane/resnet';
import type { DataSource, TrainerOptions, TrainRequest } from '../src/index.ts';

/** A run of a second or less, the same in Node and in pages. */
export const shortRun = {
  model: 'resnet8v1',
  epochs: 2,
  batchSize: 32,
  seed: 1,
  learningRate: 2e-3,
  augment: true,
} as const;
export const data = { kind: 'synthetic', train: 160, test: 40, seed: 1, size: 16 } as const;

export interface RunOutcome {
  /** Of each epoch. */
  readonly losses: readonly number[];
  /** SHA-256 of the last checkpoint's file. */
  readonly sha256: string;
}

/** The run in Node, on the wasm backend. */
export async function runInNode(options: Parameters<typeof createWasmBackend>[0]): Promise<RunOutcome> {
  const backend = await createWasmBackend(options);
  const [images, test] = (['train', 'test'] as const).map((split) =>
    syntheticDataset({ split, count: data[split], seed: data.seed, size: data.size }),
  );
  if (images === undefined || test === undefined) throw new Error('no data');
  const model = modelConfig(shortRun.model, { imageSize: [data.size, data.size] });
  const events = train({ ...shortRun, backend, model, train: images, test });
  for (;;) {
    const { done, value } = await events.next();
    if (done !== true) continue;
    backend.dispose();
    const { checkpoint, history } = value;
    return {
      losses: history.map(({ loss }) => loss),
      sha256: await sha256(encodeCheckpoint(checkpoint), 'the checkpoint'),
    };
  }
}

/** A run, the short one if none is given, in a worker of a page, and what the backend there says of itself. */
export function runInPage(
  page: Page,
  options: TrainerOptions,
  {
    images = data,
    run = shortRun,
  }: { readonly images?: Extract<DataSource, { readonly kind: 'synthetic' }>; readonly run?: TrainRequest } = {},
) {
  return page.evaluate(
    async ([open, source, request]) => {
      const trainer = await createTrainer(open);
      await trainer.loadData(source);
      const losses: number[] = [];
      for await (const event of trainer.train(request)) if (event.type === 'epoch') losses.push(event.record.loss);
      const { files } = await trainer.save('skiplane-checkpoint', 'last');
      const digest = await crypto.subtle.digest('SHA-256', files.get('last') as Uint8Array<ArrayBuffer>);
      trainer.dispose();
      const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
      return { info: trainer.info, losses, sha256: hex };
    },
    [options, images, run] as const,
  );
}
