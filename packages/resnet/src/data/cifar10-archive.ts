import { FormatError } from '@skiplane/core';
import { cifar10Files } from './cifar10.ts';
import { Cifar10Collector, type Cifar10 } from './cifar10-collector.ts';

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

/**
 * Reads the official archive, cifar-10-binary.tar.gz, or the .tar in it, as it streams by.
 * @param where  what is read, for errors
 * @throws {FormatError} when the archive is truncated or damaged, or its files are; all problems in one error
 */
export async function cifar10FromArchive(
  source: Uint8Array | ReadableStream<Uint8Array>,
  where = 'the archive',
): Promise<Cifar10> {
  const collector = new Cifar10Collector(where);
  try {
    const { createTarDecoder } = await import('modern-tar');
    const tar = await decompressed(source instanceof Uint8Array ? streamOf(source) : (source as Bytes));
    for await (const { header, body } of iterate(tar.pipeThrough(createTarDecoder({ strict: true })))) {
      const fileName = header.name.split('/').at(-1) ?? '';
      const isFile = (header.type ?? 'file') === 'file';
      if (isFile && cifar10Files.includes(fileName)) await collector.add(fileName, header.size, iterate(body));
      else await drain(body);
      if (/^(data_batch_\d|test_batch)$/.test(fileName)) {
        collector.problem(`${fileName} belongs to the Python version; the binary version is needed`);
      }
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(
      `cannot read CIFAR-10 from ${where}: the archive is truncated or damaged, or no .tar.gz at all (${reason}). Give the whole cifar-10-binary.tar.gz, not a batch file of it, or fetch it again.`,
      { where },
      error,
    );
  }
  return collector.finish();
}

/** The stream without its gzip layer, if it has one: told by the first two bytes. */
async function decompressed(source: Bytes): Promise<Bytes> {
  const reader = source.getReader();
  const first = await reader.read();
  const whole = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      if (first.done) controller.close();
      else controller.enqueue(first.value);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const gzip = !first.done && first.value[0] === 0x1f && first.value[1] === 0x8b;
  return gzip ? whole.pipeThrough(new DecompressionStream('gzip')) : whole;
}

function streamOf(bytes: Uint8Array): Bytes {
  const step = 1 << 20;
  let from = 0;
  return new ReadableStream({
    pull(controller) {
      if (from >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(from, (from += step)));
    },
  });
}

/** Reads to the end: `cancel` on an entry's body can stall modern-tar's decoder where the next entry is not there yet. */
async function drain(stream: ReadableStream<unknown>): Promise<void> {
  const reader = stream.getReader();
  for (let result = await reader.read(); !result.done; result = await reader.read());
}

/** The chunks of a stream: async iteration of streams is not in every browser. */
async function* iterate<T>(stream: ReadableStream<T>): AsyncGenerator<T> {
  const reader = stream.getReader();
  try {
    for (let result = await reader.read(); !result.done; result = await reader.read()) yield result.value;
  } finally {
    reader.releaseLock();
  }
}
