import { readFileSync } from 'node:fs';

/** What Keras computed: see "The files" in tools/keras-reference/README.md. */
const folder = new URL('../../../../tools/keras-reference/fixtures/', import.meta.url);

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, folder), 'utf8'));
}

/** Float64 tensors by name: the resnet package's own reader takes float32 only, as checkpoints have it. */
export function readTensors(path: string): ReadonlyMap<string, Float64Array> {
  const bytes = readFileSync(new URL(path, folder));
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<
    string,
    { readonly dtype: string; readonly data_offsets: readonly [number, number] }
  >;
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          data_offsets: [from, to],
        },
      ]) => {
        if (dtype !== 'F64') throw new Error(`${path}: '${name}' is ${dtype}, but fixtures are F64`);
        return [
          name,
          Float64Array.from({ length: (to - from) / 8 }, (_, i) => bytes.readDoubleLE(start + from + 8 * i)),
        ];
      },
    ),
  );
}

/** Of all elements of a tensor, of which the samples are some. */
export interface Totals {
  readonly count: number;
  readonly sum: number;
  /** Euclidean norm. */
  readonly l2: number;
}

/** Tensors of more elements than this are sampled. */
const storedWhole = 256;
const samples = 128;

/** The elements of a tensor that a fixture has of it. */
export function sampled(values: ArrayLike<number>): Float64Array {
  if (values.length <= storedWhole) return Float64Array.from(values);
  return Float64Array.from({ length: samples }, (_, k) => values[Math.floor((k * values.length) / samples)] as number);
}

export function totalsOf(values: ArrayLike<number>): Totals {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    sum += value;
    squares += value * value;
  }
  return { count: values.length, sum, l2: Math.sqrt(squares) };
}

export type KerasModel = 'resnet8v1' | 'resnet11v2';

export interface Inference {
  readonly logits: readonly (readonly number[])[];
  readonly probabilities: readonly (readonly number[])[];
  readonly loss: number;
  readonly l2: number;
  readonly accuracy: number;
}

export interface OneStep {
  readonly loss: number;
  readonly l2: number;
  readonly accuracy: number;
  readonly zeroGradients: readonly string[];
  readonly totals: Readonly<Record<'gradients', Readonly<Record<string, Totals>>>>;
}

export interface TenSteps {
  readonly optimizer: {
    readonly name: string;
    readonly learningRate: number;
    readonly momentum?: number;
    readonly nesterov?: boolean;
    readonly beta1?: number;
    readonly beta2?: number;
    readonly epsilon?: number;
    readonly weightDecay?: number;
    readonly labelSmoothing?: number;
  };
  readonly batches: readonly string[];
  readonly batchSizes: readonly number[];
  readonly losses: readonly number[];
  readonly l2: readonly number[];
  readonly accuracies: readonly number[];
  readonly iterations: number;
  readonly totals: Readonly<Record<string, Readonly<Record<string, Totals>>>>;
}

/** How far Keras's own float32 run is off: relative to float64, or in itself where that is zero but for rounding. */
export interface Float32Error {
  readonly relative: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>>;
  readonly absolute: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>>;
}
