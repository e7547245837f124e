/**
 * A barrier for all threads of the pool: the last to arrive opens it, the others spin for a bounded time, then sleep.
 *
 * Memory: arrivals at 0, generation at 64, sleepers at 128, each on its own cache line. An unbounded spin would hang
 * for a scheduler's time slice where there are more threads than free cores.
 */
const spinRounds: i32 = 20000;

export function barrier(state: usize, threads: i32): void {
  if (!ASC_FEATURE_THREADS || threads == 1) return;
  const generation = state + 64, sleepers = state + 128;
  const current = atomic.load<i32>(generation);
  if (atomic.add<i32>(state, 1) == threads - 1) {
    atomic.store<i32>(state, 0);
    atomic.add<i32>(generation, 1);
    if (atomic.load<i32>(sleepers) > 0) atomic.notify(generation, -1);
    return;
  }
  for (let round = 0; round < spinRounds; round++) {
    if (atomic.load<i32>(generation) != current) return;
  }
  atomic.add<i32>(sleepers, 1);
  while (atomic.load<i32>(generation) == current) atomic.wait<i32>(generation, current, -1);
  atomic.sub<i32>(sleepers, 1);
}
