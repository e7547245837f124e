import { performance } from 'node:perf_hooks';

/** Does an action again and again for the given time, three times at least. */
export async function repeat<T>(seconds: number, action: () => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  const end = performance.now() + seconds * 1000;
  while (results.length < 3 || performance.now() < end) results.push(await action());
  return results;
}
