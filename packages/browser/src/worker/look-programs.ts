import type { Backend } from '@skiplane/core';
import { Explainer, LayerProbe } from '@skiplane/resnet';
import type { Network } from './state.ts';

interface Kept<T> {
  readonly of: Network;
  readonly batch: number;
  readonly program: Promise<T>;
}

/** Programs that look into a network: compiled once for all checkpoints of a run. */
export class LookPrograms {
  #explainer: Kept<Explainer> | undefined;
  #probe: Kept<LayerProbe> | undefined;

  /** With the network's weights. */
  async explainer(backend: Backend, network: Network): Promise<Explainer> {
    this.#explainer = kept(this.#explainer, network, 1, () => Explainer.compile({ backend, ...network }));
    const explainer = await this.#explainer.program;
    explainer.writeParameters(network.parameters);
    return explainer;
  }

  async probe(backend: Backend, network: Network, batch: number): Promise<LayerProbe> {
    const batchNorm = network.training?.settings.recipe.batchNorm;
    this.#probe = kept(this.#probe, network, batch, () =>
      LayerProbe.compile(backend, network.model, { batch, ...(batchNorm !== undefined && { batchNorm }) }),
    );
    return await this.#probe.program;
  }
}

/** The program that there is, if it is for this network; else a new one, and the other is freed. */
function kept<T extends Disposable>(
  old: Kept<T> | undefined,
  network: Network,
  batch: number,
  compile: () => Promise<T>,
): Kept<T> {
  if (old?.of.model === network.model && old.of.preprocessing === network.preprocessing && old.batch === batch) {
    return old;
  }
  // A compilation that failed has told whoever waited for it.
  void old?.program.then(
    (program) => program[Symbol.dispose](),
    () => undefined,
  );
  return { of: network, batch, program: compile() };
}
