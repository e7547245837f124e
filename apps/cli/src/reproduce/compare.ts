import type { ResultsCard } from '@skiplane/resnet/node';

/** One thing that two cards say. */
interface Row {
  readonly what: string;
  readonly card: string;
  readonly here: string;
  readonly same: boolean;
}

export interface Comparison {
  readonly rows: readonly Row[];
  /** Why the same bits are not to be expected; when there is no reason, they are promised. */
  readonly reasons: readonly string[];
  readonly sameBits: boolean;
  /** Here less there; null when one of them has none. */
  readonly accuracyDifference: number | null;
}

/** Compares the card of a run with the card of its repetition. */
export function compareCards(card: ResultsCard, here: ResultsCard): Comparison {
  const [own, other] = [card.result.test, here.result.test];
  const rows = [
    row('weights', card.weights.last, here.weights.last),
    row('best weights', card.weights.best ?? '-', here.weights.best ?? '-'),
    row('test accuracy', digits(own?.accuracy), digits(other?.accuracy)),
    row('test loss', digits(own?.loss), digits(other?.loss)),
    row('epochs', String(card.result.epochs), String(here.result.epochs)),
    curveRow(card, here),
  ];
  return {
    rows,
    reasons: reasonsAgainst(card, here),
    sameBits: rows.every(({ same }) => same),
    accuracyDifference: own && other ? other.accuracy - own.accuracy : null,
  };
}

const digits = (value: number | undefined): string => (value === undefined ? '-' : String(value));

const row = (what: string, card: string, here: string): Row => ({ what, card, here, same: card === here });

/** An epoch without what depends on the clock. */
const text = (point: ResultsCard['curve'][number]): string => JSON.stringify({ ...point, timing: null });

/** The curves, as far as they are the same. */
function curveRow({ curve }: ResultsCard, { curve: other }: ResultsCard): Row {
  const differs = curve.find((point, i) => {
    const there = other[i];
    return there === undefined || text(point) !== text(there);
  });
  const last = curve.at(-1)?.valLoss ?? Number.NaN;
  const lastHere = other.at(-1)?.valLoss ?? Number.NaN;
  const what = differs === undefined ? 'curve' : `curve, from epoch ${differs.epoch} on`;
  const same = differs === undefined && curve.length === other.length;
  return { what, card: `val_loss ${last}`, here: `val_loss ${lastHere}`, same };
}

/**
 * The same bits are promised for one program on one device: on WebAssembly for any number of threads, and between
 * processors too where every instruction has one result, which is not so in relaxed SIMD.
 */
function reasonsAgainst(card: ResultsCard, here: ResultsCard): readonly string[] {
  const reasons: string[] = [];
  const compare = (what: string, there: string, now: string): void => {
    if (there !== now) reasons.push(`${what} was ${there}, and here is ${now}`);
  };
  // Another backend is another program anyway.
  if (card.backend.name === here.backend.name) compare('the program', program(card), program(here));
  compare('V8, whose logarithms and powers are used,', card.versions.v8, here.versions.v8);
  const devices = new Set([...card.backend.devices, ...here.backend.devices].map(withoutThreads));
  if (devices.size > 1) reasons.push(`the runs went over several devices (${[...devices].join('; ')})`);
  if (card.backend.features.includes('relaxed-simd')) {
    compare('the processor, which relaxed SIMD leaves a choice,', processor(card), processor(here));
  }
  return reasons;
}

const program = ({ versions: { skiplane, build } }: ResultsCard): string => `${skiplane} (build ${build.slice(0, 12)})`;
const processor = ({ machine: { cpu, platform } }: ResultsCard): string => `${cpu} (${platform})`;
const withoutThreads = (device: string): string => device.replace(/, \d+ threads?$/u, '');
