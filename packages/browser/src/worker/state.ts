import { ValueError, type Backend } from '@skiplane/core';
import {
  Predictor,
  type Dataset,
  type Model,
  type Parameters,
  type Preprocessing,
  type TrainingState,
} from '@skiplane/resnet';
import { LookPrograms } from './look-programs.ts';
import type { TrainerOptions } from './requests/open.ts';
import type { TrainingRun } from './training-run.ts';

/** The images that are trained, tested and looked at. */
export interface Images {
  readonly train: Dataset;
  readonly test: Dataset | undefined;
}

export type Split = keyof Images;

/** A network that was loaded, or the newest checkpoint of the run. */
export interface Network {
  readonly model: Model;
  readonly parameters: Parameters;
  readonly preprocessing: Preprocessing | null;
  readonly classNames: readonly string[];
  readonly training: TrainingState | null;
}

/** Opens the backend that a worker's program has. */
export type OpenBackend = (options: TrainerOptions) => Promise<Backend>;

/** What the worker holds: one backend, one pair of data sets, one network, one run. */
export class WorkerState {
  run: TrainingRun | undefined;
  readonly programs = new LookPrograms();
  readonly openBackend: OpenBackend;
  #backend: Backend | undefined;
  #images: Images | undefined;
  #network: Network | undefined;
  #predictor: Promise<Predictor> | undefined;

  constructor(openBackend: OpenBackend) {
    this.openBackend = openBackend;
  }

  get backend(): Backend {
    if (this.#backend === undefined) throw new ValueError('no backend is open.');
    return this.#backend;
  }

  set backend(backend: Backend) {
    this.#backend = backend;
  }

  get images(): Images {
    if (this.#images === undefined) throw new ValueError('there are no images yet: call loadData first.');
    return this.#images;
  }

  set images(images: Images) {
    this.#images = images;
  }

  get network(): Network {
    if (this.#network === undefined) {
      throw new ValueError('there is no network yet: load one, or train until the first checkpoint event.');
    }
    return this.#network;
  }

  set network(network: Network | undefined) {
    this.#network = network;
    const old = this.#predictor;
    this.#predictor = undefined;
    // A compilation that failed has told whoever waited for it.
    void old?.then(
      (predictor) => predictor.dispose(),
      () => undefined,
    );
  }

  /** The network, compiled once to look at one picture after the other. */
  get predictor(): Promise<Predictor> {
    const { backend, network } = this;
    return (this.#predictor ??= Predictor.compile({ backend, ...network, batchSize: 1 }));
  }

  /** @throws {ValueError} when there are no such images */
  split(split: Split): Dataset {
    const data = this.images[split];
    if (data === undefined) throw new ValueError(`the loaded data has no ${split} images.`, { split });
    return data;
  }
}
