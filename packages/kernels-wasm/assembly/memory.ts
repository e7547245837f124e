/**
 * Copies and clears of a few vectors, inlined: memory.copy and memory.fill are calls out of wasm, which cost more than
 * a pixel's worth of work. Byte counts are multiples of 4.
 */

@inline export function copyFloats(target: usize, source: usize, bytes: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(target + at, v128.load(source + at));
  for (; at < bytes; at += 4) store<f32>(target + at, load<f32>(source + at));
}

@inline export function clearFloats(target: usize, bytes: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(target + at, i32x4.splat(0));
  for (; at < bytes; at += 4) store<f32>(target + at, 0);
}

/** Rows up to this long may be walked side by side; the prefetcher follows no more than a few lines to and fro. */
const narrowRow: usize = 256;

/**
 * Fetches rows that a kernel is about to walk side by side: reads a word of each cache line front to back, as the prefetcher expects
 * it. Batch norms of 128 and more channels in memory are twice as fast with it (Zen 4).
 */
@inline export function fetchRows(at: usize, rows: usize, rowBytes: usize): void {
  if (rowBytes > narrowRow) fetchLines(at, at + rows * rowBytes);
}

/** Reads a word of each cache line from `at` to `end`, so that they are in the cache when they are wanted. */
@inline export function fetchLines(at: usize, end: usize): void {
  for (; at < end; at += 64) load<i32>(at);
}
