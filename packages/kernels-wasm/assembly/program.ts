import { barrier } from './barrier';
import { execute } from './execute';

/** A list of records in memory, written by src/header.ts. */
@unmanaged class Program {
  records: usize;
  recordCount: i32;
  recordBytes: i32;
  /** One task counter a record, zero before each run; the first one counts the chunks where there are any. */
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

/** Of each record every thread takes tasks from a shared counter until none is left, and meets the others at the barrier. */
function runTogether(p: Program, scratch: usize): void {
  // After its last barrier the program may be gone: the loop reads nothing of it.
  const recordCount = p.recordCount, recordBytes = p.recordBytes, threads = p.threads, state = p.barrier;
  let record = p.records, counter = p.counters;
  for (let i = 0; i < recordCount; i++) {
    const opcode = load<i32>(record), tasks = load<i32>(record, 4);
    if (ASC_FEATURE_THREADS && threads > 1) {
      for (let task = take(counter); task < tasks; task = take(counter)) execute(opcode, record + 8, task, scratch);
      barrier(state, threads);
    } else {
      for (let task = 0; task < tasks; task++) execute(opcode, record + 8, task, scratch);
    }
    record += recordBytes;
    counter += 4;
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
      const opcode = load<i32>(record), tasks = load<i32>(record, 4);
      for (let task = 0; task < tasks; task++) execute(opcode, record + 8, task, scratch);
      record += p.recordBytes;
    }
  }
  barrier(state, threads);
}
