import type { Step } from './compile.ts';
import { bufferUsage, type Context } from './context.ts';
import { encodePass } from './encode.ts';

interface StepTimes {
  readonly method: keyof typeof timers;
  /** Milliseconds by index of the op; those without a kernel are left out. */
  readonly times: ReadonlyMap<number, number>;
}

/** The kernel calls of one op. */
type OpSteps = readonly [op: number, steps: readonly Step[]];

/** Runs the steps once, each op in a pass of its own that is timed. */
export async function profileSteps(
  context: Context,
  label: string,
  steps: readonly Step[],
  method: keyof typeof timers = context.device.features.has('timestamp-query') ? 'timestamps' : 'submissions',
): Promise<StepTimes> {
  return { method, times: await timers[method](context, label, groupByOp(steps)) };
}

const timers = { timestamps: timeByTimestamps, submissions: timeBySubmissions } as const;

/** A query set holds 4,096 timestamps at most: those of the begin and the end of this many ops. */
const opsPerSet = 2048;
const bytesPerTimestamp = 8;
const nanosecondsPerMillisecond = 1e6;

/** One submission of a pass an op; the device notes when each begins and ends. */
async function timeByTimestamps(
  context: Context,
  label: string,
  ops: readonly OpSteps[],
): Promise<ReadonlyMap<number, number>> {
  if (ops.length === 0) return new Map();
  const { device } = context;
  const { copySource, queryResolve } = bufferUsage;
  const bytes = ops.length * 2 * bytesPerTimestamp;
  const resolved = context.buffer(bytes, queryResolve | copySource, 'timestamps');
  const staging = context.staging(bytes, 'reading timestamps');
  const sets = chunks(ops, opsPerSet).map((chunk) => ({
    chunk,
    querySet: device.createQuerySet({ label, type: 'timestamp', count: chunk.length * 2 }),
  }));
  try {
    await context.submit(label, (encoder) => {
      for (const { chunk, querySet } of sets) {
        chunk.forEach(([, steps], i) => {
          const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
          encodePass(encoder, { label, timestampWrites }, steps);
        });
      }
      sets.forEach(({ chunk, querySet }, i) => {
        encoder.resolveQuerySet(querySet, 0, chunk.length * 2, resolved, i * opsPerSet * 2 * bytesPerTimestamp);
      });
    });
    const stamps = new BigUint64Array(await context.download([[resolved, 0, bytes]], staging));
    return new Map(ops.map(([op], i) => [op, elapsed(stamps[2 * i] as bigint, stamps[2 * i + 1] as bigint)]));
  } finally {
    for (const { querySet } of sets) querySet.destroy();
    context.free(resolved);
    staging.destroy();
  }
}

/** A device may set its clock back, as on a change of its power state: such an op shows as 0. */
function elapsed(begin: bigint, end: bigint): number {
  return end < begin ? 0 : Number(end - begin) / nanosecondsPerMillisecond;
}

/** A submission an op, each after the one before it has ended: the clock sees the way to the device and back as well. */
async function timeBySubmissions(
  context: Context,
  label: string,
  ops: readonly OpSteps[],
): Promise<ReadonlyMap<number, number>> {
  const times = new Map<number, number>();
  // What was written to tensors goes with the next submission: not with that of the first op.
  await context.submit(label, () => undefined);
  await context.idle();
  for (const [op, steps] of ops) {
    const start = performance.now();
    await context.submit(label, (encoder) => encodePass(encoder, { label }, steps));
    await context.idle();
    times.set(op, performance.now() - start);
  }
  await context.settled();
  context.check(label);
  return times;
}

/** The steps of an op follow one another. */
function groupByOp(steps: readonly Step[]): readonly OpSteps[] {
  const groups: [number, Step[]][] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (last?.[0] === step.op) last[1].push(step);
    else groups.push([step.op, [step]]);
  }
  return groups;
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
