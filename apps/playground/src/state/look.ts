import { effect, signal, untracked } from '@preact/signals';
import type { Picture } from '@skiplane/browser';
import { measures } from './layer-history.ts';
import { resource, type Resource } from './resource.ts';
import { data, networkVersion, openData, openTrainer } from './session.ts';
import { view, type View } from './setup.ts';

/** The picture that is looked at: one of the test images, or one of the visitor's. */
export type Chosen =
  | { readonly kind: 'test'; readonly index: number }
  | { readonly kind: 'own'; readonly name: string; readonly picture: Blob };

export const chosen = signal<Chosen>({ kind: 'test', index: 0 });
/** The class that Grad-CAM explains; null for the likeliest. */
export const chosenClass = signal<number | null>(null);

async function chosenPicture(): Promise<Picture> {
  const current = chosen.value;
  if (current.kind === 'own') return current.picture;
  const trainer = await openData();
  const { pixels } = await trainer.images({ split: 'test', indices: [current.index] });
  return pixels;
}

export const explanation = resource(async () => {
  const picture = await chosenPicture();
  const trainer = await openTrainer();
  return await trainer.explain(picture, chosenClass.value === null ? {} : { classIndex: chosenClass.value });
});

export const filters = resource(async () => await (await openTrainer()).firstFilters());

export const evaluation = resource(async () => {
  const trainer = await openData();
  const result = await trainer.evaluate({ mistakes: 24 });
  const indices = result.mistakes.map(({ index }) => index);
  const { pixels } = await trainer.images({ split: 'test', indices });
  return { ...result, pixels, classNames: data.value?.test?.classNames ?? [], size: data.value?.test ?? null };
});

/** What each view shows of the network. */
const shownBy: Partial<Record<View, readonly Pick<Resource<unknown>, 'refresh'>[]>> = {
  layers: [measures],
  inside: [filters, explanation],
  results: [evaluation],
  classify: [explanation],
};

/** The view that is open follows the network as it trains. */
effect(() => {
  const version = networkVersion.value;
  const asked = shownBy[view.value] ?? [];
  // They are asked anew when the picture or the class changes, too.
  void [chosen.value, chosenClass.value];
  if (version > 0) untracked(() => asked.forEach((one) => one.refresh()));
});

effect(() => {
  if (networkVersion.value > 0) return;
  untracked(() => [explanation, filters, evaluation].forEach((one) => one.clear()));
});
