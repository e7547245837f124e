import { barrier } from './barrier';
import { execute } from './execute';

/** A compiled program in memory, written by src/program.ts. */
@unmanaged class Program {
  records: usize;
  recordCount: i32;
  recordBytes: i32;
  /** One task counter a record, zero before each run. */
  counters: usize;
  scratch: usize;
  scratchBytes: i32;
  barrier: usize;
  threads: i32;
}

/**
 * Runs a program's records in order, as thread `thread` of the pool. All threads run the same list; of each record
 * every thread takes tasks from a shared counter until none is left, and meets the others at the barrier. A task knows
 * nothing of threads: results do not depend on who takes which.
 */
export function run(program: usize, thread: i32): void {
  const p = changetype<Program>(program);
  // After its last barrier the program may be gone: the loop reads nothing of it.
  const recordCount = p.recordCount, recordBytes = p.recordBytes, threads = p.threads, state = p.barrier;
  const scratch = p.scratch + <usize>p.scratchBytes * <usize>thread;
  let record = p.records, counter = p.counters;
  for (let i = 0; i < recordCount; i++) {
    const opcode = load<i32>(record), tasks = load<i32>(record, 4);
    if (ASC_FEATURE_THREADS && threads > 1) {
      for (let task = atomic.add<i32>(counter, 1); task < tasks; task = atomic.add<i32>(counter, 1)) {
        execute(opcode, record + 8, task, scratch);
      }
      barrier(state, threads);
    } else {
      for (let task = 0; task < tasks; task++) execute(opcode, record + 8, task, scratch);
    }
    record += recordBytes;
    counter += 4;
  }
}
