import {
  cifar10Dataset,
  cifar10Error,
  cifar10Files,
  cifar10ImageBytes,
  cifar10LabelProblem,
  cifar10RecordBytes,
  cifar10SizeProblem,
  cifar10TestFile,
  cifar10TrainFiles,
  decodeRecord,
} from './cifar10.ts';
import type { Dataset } from './dataset.ts';

export interface Cifar10 {
  readonly train: Dataset;
  readonly test: Dataset;
}

interface Part {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/**
 * Puts the two data sets together from files that arrive in any order and in pieces. Images are decoded straight into
 * their final array (sized for five training files like the first one), so nothing is held twice.
 */
export class Cifar10Collector {
  readonly #where: string;
  readonly #keep: ReadonlyMap<string, number> | undefined;
  readonly #problems: string[] = [];
  readonly #parts = new Map<string, Part>();
  #train: Part | undefined;

  /**
   * @param where  what is read, for errors
   * @param keep   how many images of each file to keep, the first ones (default: all)
   */
  constructor(where: string, keep?: ReadonlyMap<string, number>) {
    this.#where = where;
    this.#keep = keep;
  }

  /** Notes something wrong with the files; all of it is thrown by `finish`. */
  problem(text: string): void {
    this.#problems.push(text);
  }

  /** Reads one file from its pieces. */
  async add(fileName: string, bytes: number, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    if (this.#parts.has(fileName)) this.problem(`${fileName} is there twice`);
    const sizeProblem = cifar10SizeProblem(fileName, bytes);
    const count = Math.floor(bytes / cifar10RecordBytes);
    const part = sizeProblem === undefined ? this.#place(fileName, count) : undefined;
    this.#parts.set(fileName, part ?? { images: new Uint8Array(0), labels: new Uint8Array(0) });
    if (sizeProblem !== undefined) this.problem(sizeProblem);
    const decoder = part === undefined ? undefined : new RecordDecoder(part);
    let received = 0;
    for await (const piece of pieces) {
      received += piece.length;
      if (received <= bytes) decoder?.write(piece);
    }
    if (received !== bytes) this.problem(`${fileName} ends after ${received} of ${bytes} bytes`);
    else if (part !== undefined) {
      const labelProblem = cifar10LabelProblem(fileName, part.labels);
      if (labelProblem !== undefined) this.problem(labelProblem);
    }
  }

  /** The data sets. @throws {FormatError} that lists all that was wrong, missing files included */
  finish(): Cifar10 {
    for (const file of cifar10Files) if (!this.#parts.has(file)) this.#problems.push(`${file} is missing`);
    if (this.#problems.length > 0) throw cifar10Error(this.#where, this.#problems);
    const parts = cifar10TrainFiles.flatMap((file) => this.#parts.get(file) ?? []);
    const train = this.#inPlace(parts) ?? concatenate(parts);
    const test = this.#parts.get(cifar10TestFile) ?? concatenate([]);
    return {
      train: cifar10Dataset('CIFAR-10 train', train.images, train.labels),
      test: cifar10Dataset('CIFAR-10 test', test.images, test.labels),
    };
  }

  /** Where a file's images go: into the block of all training images if it has as many as the first one. */
  #place(fileName: string, count: number): Part {
    if (this.#keep !== undefined) return this.#placeKept(fileName, this.#keep);
    const index = cifar10TrainFiles.indexOf(fileName);
    if (index < 0) return newPart(count);
    this.#train ??= newPart(cifar10TrainFiles.length * count);
    const { images, labels } = this.#train;
    if (labels.length !== cifar10TrainFiles.length * count) return newPart(count);
    const size = count * cifar10ImageBytes;
    return {
      images: images.subarray(index * size, (index + 1) * size),
      labels: labels.subarray(index * count, (index + 1) * count),
    };
  }

  #placeKept(fileName: string, keep: ReadonlyMap<string, number>): Part {
    const kept = (files: readonly string[]): number => files.reduce((sum, file) => sum + (keep.get(file) ?? 0), 0);
    const index = cifar10TrainFiles.indexOf(fileName);
    if (index < 0) return newPart(kept([fileName]));
    this.#train ??= newPart(kept(cifar10TrainFiles));
    const [from, end] = [kept(cifar10TrainFiles.slice(0, index)), kept(cifar10TrainFiles.slice(0, index + 1))];
    return {
      images: this.#train.images.subarray(from * cifar10ImageBytes, end * cifar10ImageBytes),
      labels: this.#train.labels.subarray(from, end),
    };
  }

  /** The block of all training images, if every part lies in it. */
  #inPlace(parts: readonly Part[]): Part | undefined {
    const block = this.#train;
    return parts.every(({ images }) => images.buffer === block?.images.buffer) ? block : undefined;
  }
}

function newPart(count: number): Part {
  return { images: new Uint8Array(count * cifar10ImageBytes), labels: new Uint8Array(count) };
}

function concatenate(parts: readonly Part[]): Part {
  const whole = newPart(parts.reduce((count, { labels }) => count + labels.length, 0));
  let at = 0;
  for (const { images, labels } of parts) {
    whole.images.set(images, at * cifar10ImageBytes);
    whole.labels.set(labels, at);
    at += labels.length;
  }
  return whole;
}

/** Decodes records from pieces that may end anywhere. */
class RecordDecoder {
  readonly #part: Part;
  readonly #split = new Uint8Array(cifar10RecordBytes);
  #held = 0;
  #record = 0;

  constructor(part: Part) {
    this.#part = part;
  }

  write(piece: Uint8Array): void {
    let from = 0;
    if (this.#held > 0) {
      from = Math.min(cifar10RecordBytes - this.#held, piece.length);
      this.#split.set(piece.subarray(0, from), this.#held);
      this.#held += from;
      if (this.#held < cifar10RecordBytes) return;
      this.#decode(this.#split, 0);
      this.#held = 0;
    }
    for (; from + cifar10RecordBytes <= piece.length; from += cifar10RecordBytes) this.#decode(piece, from);
    this.#split.set(piece.subarray(from));
    this.#held = piece.length - from;
  }

  #decode(source: Uint8Array, from: number): void {
    if (this.#record === this.#part.labels.length) return;
    this.#part.labels[this.#record] = source[from] as number;
    decodeRecord(source, from, this.#part.images, this.#record * cifar10ImageBytes);
    this.#record++;
  }
}
