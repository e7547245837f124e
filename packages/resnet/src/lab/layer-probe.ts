import {
  elementCount,
  gradients,
  GraphBuilder,
  readersOf,
  valueOf,
  type Backend,
  type Graph,
  type Op,
  type ValueId,
} from '@skiplane/core';
import { BoundProgram } from '../bound-program.ts';
import type { BatchBuffers } from '../data/batch-preparer.ts';
import { writeBatch } from '../data/write-batch.ts';
import { lossGraph } from '../graphs/training.ts';
import type { Model } from '../model.ts';
import type { Parameters } from '../parameters.ts';
import type { BatchNormSettings } from '../recipe/keras-constants.ts';

/** What a convolution of the main path does with a batch. */
export interface LayerMeasure {
  /** Such as `stage2/block1/conv1`. */
  readonly layer: string;
  /** Standard deviation of its output: behind its bias or batch norm, where one follows, and before any activation. */
  readonly response: number;
  /** L2 norm of the gradient of the mean cross-entropy with respect to its filter. */
  readonly gradientNorm: number;
}

export interface LayerProbeOptions {
  readonly batch: number;
  /** As in training. */
  readonly batchNorm?: Partial<BatchNormSettings>;
}

interface Watched {
  readonly layer: string;
  readonly elements: number;
}

type Figure = 'sum' | 'squares' | 'gradient';

const name = (what: Figure, layer: string): string => `measure/${what}/${layer}`;

/**
 * A program that computes layer responses and gradient norms of a batch, by statistics of the batch and tensors of its own:
 * what it is shown stays as it is.
 * @source He et al. 2015, figure 7
 */
export class LayerProbe implements Disposable {
  readonly #bound: BoundProgram;
  readonly #watched: readonly Watched[];

  private constructor(bound: BoundProgram, watched: readonly Watched[]) {
    this.#bound = bound;
    this.#watched = watched;
  }

  static async compile(backend: Backend, model: Model, options: LayerProbeOptions): Promise<LayerProbe> {
    const { graph, watched } = probeGraph(model, options);
    return new LayerProbe(await BoundProgram.compile(backend, graph, new Map()), watched);
  }

  async measure(parameters: Parameters, buffers: BatchBuffers): Promise<readonly LayerMeasure[]> {
    const bound = this.#bound;
    for (const [parameter, data] of parameters) bound.write(parameter, data);
    writeBatch(bound, buffers);
    await bound.program.run();
    const read = async (what: Figure, layer: string): Promise<number> =>
      ((await bound.tensor(name(what, layer)).read()) as Float32Array)[0] ?? Number.NaN;
    return Promise.all(
      this.#watched.map(async ({ layer, elements }) => {
        const [sum, squares, gradient] = [
          await read('sum', layer),
          await read('squares', layer),
          await read('gradient', layer),
        ];
        // Below zero by rounding only.
        const variance = Math.max(0, squares / elements - (sum / elements) ** 2);
        return { layer, response: Math.sqrt(variance), gradientNorm: Math.sqrt(gradient) };
      }),
    );
  }

  dispose(): void {
    this.#bound.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function probeGraph(
  model: Model,
  { batch, batchNorm }: LayerProbeOptions,
): { readonly graph: Graph; readonly watched: readonly Watched[] } {
  const none = { filters: 0, dense: 0 };
  const forward = lossGraph(model, { batch, l2: none, ...(batchNorm !== undefined && { batchNorm }) });
  const soleReader = soleReaders(forward.graph);
  const convolutions = forward.graph.ops.filter((op) => op.kind === 'conv2d' && /(?:^|\/)conv\d*$/.test(op.label));
  const filters = convolutions.map(({ inputs }) => inputs[1] as ValueId);
  const backward = gradients(forward.graph, forward.loss, filters);
  const build = new GraphBuilder(`${model.name} layers`, backward.graph);
  const watched = convolutions.map((op, i): Watched => {
    const layer = op.label;
    const response = responseOf(op, soleReader);
    const square = (id: ValueId): ValueId => build.op('l2Penalty', [id], { scale: 1 }, 'measure');
    build.output(name('sum', layer), build.op('reduceSum', [response], {}, 'measure'));
    build.output(name('squares', layer), square(response));
    build.output(name('gradient', layer), square(backward.gradients[i] as ValueId));
    return { layer, elements: elementCount(valueOf(backward.graph, response).shape) };
  });
  return { graph: build.build(), watched };
}

/** The op that reads a value, when there is one only. */
function soleReaders(graph: Graph): (id: ValueId) => Op | undefined {
  const readers = readersOf(graph);
  return (id) => (readers[id]?.length === 1 ? graph.ops[readers[id][0] as number] : undefined);
}

/** The output of a convolution, or of the bias and batch norm that are the only ones to read it. */
function responseOf({ outputs: [output = -1] }: Op, soleReader: (id: ValueId) => Op | undefined): ValueId {
  const reader = soleReader(output);
  return reader?.kind === 'biasAdd' || reader?.kind === 'batchNormTraining' ? responseOf(reader, soleReader) : output;
}
