import { ValueError, type BackendInfo } from '@skiplane/core';
import type { EncodedModel, FirstFilters, LayerMeasure, Prediction } from '@skiplane/resnet';
import { Channel } from './channel.ts';
import type { TrainerEvent, TrainerResult } from './events.ts';
import type { DataInfo, DataSource, ImagesRequest, PickedImages } from './worker/requests/data.ts';
import type { LoadRequest, NetworkInfo, SaveRequest } from './worker/requests/files.ts';
import type { ExplainedPicture, ExplainRequest, MeasureRequest } from './worker/requests/explain.ts';
import type { EvaluatedImages, EvaluateRequest, PredictRequest } from './worker/requests/look.ts';
import type { TrainerOptions } from './worker/requests/open.ts';
import type { TrainRequest } from './worker/requests/training.ts';
import type { Picture } from './worker/picture.ts';

/**
 * Starts a worker with a backend of its own, in which a network is trained and used while the page stays free.
 *
 * ```ts
 * const trainer = await createTrainer({ backend: 'wasm' });
 * await trainer.loadData({ kind: 'synthetic', train: 4000, test: 500, seed: 1 });
 * for await (const event of trainer.train({ model: 'resnet8v1', epochs: 4, seed: 1 }))
 *   if (event.type === 'progress') console.log(event.loss, event.imagesPerSecond);
 * const { files } = await trainer.save('onnx', 'mine.onnx');
 * trainer.dispose();
 * ```
 * @throws {UnsupportedError} without SIMD or WebGPU, or without a fitting adapter
 * @throws {SkiplaneError} of the code WORKER when the page's policy, or the browser, lets no worker start, or its program cannot be loaded
 */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const channel = await Channel.start(options.backend);
  try {
    return new Trainer(channel, await channel.call('open', options));
  } catch (error) {
    channel.close();
    throw error;
  }
}

/**
 * A worker that holds a backend, images, and one network: the one that was loaded, or the newest checkpoint of the run.
 * Its errors come as they were thrown there, of the same class, with the same code and details.
 */
export class Trainer implements Disposable {
  /** Device, threads, and what was asked for but could not be had. */
  readonly info: BackendInfo;
  readonly #channel: Channel;

  /** See {@link createTrainer}. */
  constructor(channel: Channel, info: BackendInfo) {
    this.#channel = channel;
    this.info = info;
  }

  /** Loads or draws the images to train and to test on. @throws {FormatError} when an archive is damaged */
  loadData(source: DataSource): Promise<{ readonly train: DataInfo; readonly test: DataInfo | null }> {
    const absolute = source.kind === 'cifar10' ? { ...source, archive: absoluteUrl(source.archive) } : source;
    return this.#channel.call('loadData', absolute);
  }

  /** Some of the loaded images, to show them. @throws {ValueError} when there are no such images */
  images(request: ImagesRequest): Promise<PickedImages> {
    return this.#channel.call('images', request);
  }

  /**
   * Trains on the loaded images and yields the trainer's events, progress at most 20 times a second. The run does not wait for
   * the loop; leaving the loop ends it, as `stop` does.
   * @throws {ValueError} when options and data do not fit together, no data is loaded, or another run is under way
   * @throws {NumericError} when a loss becomes NaN or infinite
   */
  async *train(request: TrainRequest): AsyncGenerator<TrainerEvent, TrainerResult, void> {
    await this.#channel.call('train', { progressSeconds: 0.1, saveSeconds: 5, ...request });
    let running = true;
    try {
      for (;;) {
        const { events, result } = await this.#channel.call('takeEvents', undefined);
        yield* events;
        if (result === null) continue;
        running = false;
        return result;
      }
    } catch (error) {
      running = false;
      throw error;
    } finally {
      if (running) await this.stop();
    }
  }

  /** Holds the run after its present step; the network can be used meanwhile. Resolves when it stands still. */
  pause(): Promise<void> {
    return this.#channel.call('pause', undefined);
  }

  resume(): Promise<void> {
    return this.#channel.call('resume', undefined);
  }

  /** Ends the run after its present step. Its checkpoint is the network, which `save` gives and `train` goes on with. */
  stop(): Promise<void> {
    return this.#channel.call('stop', undefined);
  }

  /** Loads a network of any kind that `loadModel` knows. @throws {FormatError} when it is damaged or cannot be represented */
  load(source: LoadRequest['source'] | URL, options: Omit<LoadRequest, 'source'> = {}): Promise<NetworkInfo> {
    return this.#channel.call('load', {
      ...options,
      source: source instanceof Uint8Array ? source : absoluteUrl(source),
    });
  }

  /** The network as files; a checkpoint keeps the state of its run. @throws {FormatError} when the format cannot hold it */
  save(format: SaveRequest['format'], name: string): Promise<EncodedModel> {
    return this.#channel.call('save', { format, name });
  }

  /** What the network sees in a picture, likeliest first. @throws {FormatError} when it cannot be decoded */
  predict(picture: Picture, options: Omit<PredictRequest, 'picture'> = {}): Promise<readonly Prediction[]> {
    return this.#channel.call('predict', { ...options, picture });
  }

  /** Evaluates the network on the loaded images. @throws {ValueError} when they do not fit together */
  evaluate(request: EvaluateRequest = {}): Promise<EvaluatedImages> {
    return this.#channel.call('evaluate', request);
  }

  /** Looks into the network: what its layers make of a picture, and where it sees a class. @throws {FormatError} as `predict` */
  explain(picture: Picture, options: Omit<ExplainRequest, 'picture'> = {}): Promise<ExplainedPicture> {
    return this.#channel.call('explain', { ...options, picture });
  }

  /** The first layer's filters. @throws {ValueError} when the network begins with no convolution */
  firstFilters(): Promise<FirstFilters> {
    return this.#channel.call('firstFilters', undefined);
  }

  /** Responses and gradient norms of the layers, on the first training images. @throws {ValueError} without loaded images */
  measureLayers(request: MeasureRequest): Promise<readonly LayerMeasure[]> {
    return this.#channel.call('measureLayers', request);
  }

  /** Ends the worker at once; whoever waits for it gets a {@link DisposedError}. */
  dispose(): void {
    this.#channel.close();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Addresses are the page's: those of a worker without a file would be relative to nothing. */
function absoluteUrl<T extends Blob>(source: T | URL | string): T | string {
  if (typeof source !== 'string' && !(source instanceof URL)) return source;
  if (!URL.canParse(source, location.href)) throw new ValueError(`'${String(source)}' is no address.`);
  return new URL(source, location.href).href;
}
