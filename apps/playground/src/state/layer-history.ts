import { effect, signal, untracked } from '@preact/signals';
import type { LayerMeasure } from '@skiplane/resnet';
import { resource } from './resource.ts';
import { currentRun, isBusy, networkVersion, openData, shownRun } from './session.ts';
import { setup } from './setup.ts';

/** All layers at one moment of a run. */
export interface Profile {
  /** Epochs done, with fractions. */
  readonly epoch: number;
  readonly layers: readonly LayerMeasure[];
}

/** So many profiles are kept and drawn. */
const kept = 8;

/** From the run's beginning to now; further apart the older the run is. */
export const profiles = signal<readonly Profile[]>([]);

const epochsDone = (): number => shownRun.peek()?.points.at(-1)?.epoch ?? 0;

export const measures = resource(async () => {
  const [run, epoch] = [currentRun.peek(), epochsDone()];
  const layers = await (await openData()).measureLayers({ count: 32 });
  // Another run may have begun meanwhile.
  if (currentRun.peek() === run && networkVersion.peek() > 0)
    profiles.value = thinned([...profiles.value, { epoch, layers }]);
  return layers;
});

/** Of too many, the one goes that is nearest to its neighbours; the first and the newest stay. */
function thinned(all: readonly Profile[]): readonly Profile[] {
  if (all.length <= kept) return all;
  const gaps = all.slice(1, -1).map((_, i) => (all[i + 2]?.epoch ?? 0) / Math.max(all[i]?.epoch ?? 0, 1e-3));
  return all.toSpliced(1 + gaps.indexOf(Math.min(...gaps)), 1);
}

/**
 * Whatever view is open, a run is measured as it begins and whenever it has become twice as long, which costs next to nothing.
 * Not on the processor's WebGPU: compiling would hold the run for half a minute.
 */
effect(() => {
  if (networkVersion.value === 0) {
    profiles.value = [];
    untracked(() => measures.clear());
  } else if (isBusy.peek() && setup.peek().backend !== 'software-gpu') {
    const last = profiles.peek().at(-1);
    if (last === undefined || epochsDone() >= 2 * last.epoch) untracked(() => measures.refresh());
  }
});
