import type { RunSinkFactory } from '@skiplane/resnet/node';

/** What keeps files in a run's folder besides those that every run has. */
export async function runSinks(): Promise<readonly RunSinkFactory[]> {
  const { TensorBoardLog } = await import('./tensorboard/tensorboard-log.ts');
  return [(folder) => new TensorBoardLog(folder)];
}
