import { barrier } from './barrier';
import { execute } from './execute';

/** A list of records in memory, written by src/header.ts. */
@unmanaged class Program {
  records: usize;
  recordCount: i32;
  recordBytes: i32;
  /** One counter a record, zero before each run; the first one counts the chunks where there are any. */
  counters: usize;
  scratch: usize;
  scratchBytes: i32;
  barrier: usize;
  threads: i32;
  chunks: i32;
  chunkImages: i32;
  lastFirst: i32;
  copyBytes: i32;
  moves: usize;
  moveCount: i32;
}

/** The head of a record, before its operands, written by src/code.ts. */
@unmanaged class Head {
  opcode: i32;
  /** Records of the group that begins here; 1 of one by itself. */
  span: i32;
  /** What threads take, and steps of each, which one thread does in order: all records of the group step by step. */
  units: i32;
  steps: i32;
  /** Tasks of this record in a step. */
  share: i32;
  /** Whether threads meet behind the group. */
  meet: i32;
}

/** An operand that is another share of its tensor in every chunk: the word at `word` of the records is base + image·step. */
@unmanaged class Move {
  word: usize;
  base: usize;
  step: usize;
}

/** Runs a program's records in order, as thread `thread` of the pool. Results do not depend on which thread does what. */
export function run(program: usize, thread: i32): void {
  const p = changetype<Program>(program);
  const scratch = p.scratch + <usize>p.scratchBytes * <usize>thread;
  if (p.chunks > 0) runChunks(p, thread, scratch);
  else runTogether(p, scratch);
}

@inline function take(counter: usize): i32 {
  if (ASC_FEATURE_THREADS) return atomic.add<i32>(counter, 1);
  const next = load<i32>(counter);
  store<i32>(counter, next + 1);
  return next;
}

/** All that a group of records does for one unit. */
function runUnit(group: usize, recordBytes: i32, unit: i32, scratch: usize): void {
  const head = changetype<Head>(group);
  const span = head.span, steps = head.steps;
  for (let step = unit * steps; step < (unit + 1) * steps; step++) {
    let record = group;
    for (let i = 0; i < span; i++) {
      const opcode = changetype<Head>(record).opcode, share = changetype<Head>(record).share;
      const operands = record + offsetof<Head>();
      for (let task = step * share; task < (step + 1) * share; task++) execute(opcode, operands, task, scratch);
      record += recordBytes;
    }
  }
}

/** Of each group of records every thread takes units from a shared counter until none is left. Behind the last of a stage it meets the others at the barrier. */
function runTogether(p: Program, scratch: usize): void {
  // After its last barrier the program may be gone: the loop reads nothing of it.
  const recordCount = p.recordCount, recordBytes = p.recordBytes, threads = p.threads, state = p.barrier;
  let record = p.records, counter = p.counters;
  for (let i = 0; i < recordCount; ) {
    const span = changetype<Head>(record).span, units = changetype<Head>(record).units, meet = changetype<Head>(record).meet != 0;
    if (ASC_FEATURE_THREADS && threads > 1) {
      for (let unit = take(counter); unit < units; unit = take(counter)) runUnit(record, recordBytes, unit, scratch);
      if (meet) barrier(state, threads);
    } else {
      for (let unit = 0; unit < units; unit++) runUnit(record, recordBytes, unit, scratch);
    }
    record += recordBytes * span;
    counter += span << 2;
    i += span;
  }
  // All leave together: who comes late must not find the header gone.
  if (recordCount == 0) barrier(state, threads);
}

/** Every thread takes chunks of the batch through its own copy of the records, whose values lie in an arena of its own; all meet once. */
function runChunks(p: Program, thread: i32, scratch: usize): void {
  const state = p.barrier, threads = p.threads;
  const records = p.records + <usize>p.copyBytes * <usize>thread;
  for (let chunk = take(p.counters); chunk < p.chunks; chunk = take(p.counters)) {
    const image = <usize>min(chunk * p.chunkImages, p.lastFirst);
    for (let i = 0; i < p.moveCount; i++) {
      const move = changetype<Move>(p.moves + <usize>i * offsetof<Move>());
      store<usize>(records + move.word, move.base + image * move.step);
    }
    let record = records;
    for (let i = 0; i < p.recordCount; i++) {
      const units = changetype<Head>(record).units;
      for (let unit = 0; unit < units; unit++) runUnit(record, p.recordBytes, unit, scratch);
      record += p.recordBytes;
    }
  }
  barrier(state, threads);
}
