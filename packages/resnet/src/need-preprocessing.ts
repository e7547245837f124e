import type { Preprocessing } from './data/preprocessing.ts';
import type { ModelShape } from './model.ts';

/** Rejects with a ValueError that lists the presets, when nobody has said how a model's images are prepared. */
export async function needPreprocessing(
  model: ModelShape,
  preprocessing: Preprocessing | null,
): Promise<Preprocessing> {
  if (preprocessing !== null) return preprocessing;
  const { missingPreprocessing } = await import('./preprocessing-input.ts');
  throw missingPreprocessing(model);
}
