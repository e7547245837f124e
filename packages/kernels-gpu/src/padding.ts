/** Bytes behind every tensor that no kernel may touch; checked with `{ guard: true }`. */
export const guardBytes = 64;
export const guardWord = 0x5eaf00d5;
export const guard = new Uint32Array(guardBytes / 4).fill(guardWord);

/** Kernels work on whole vectors and may write up to the next multiple of 16 bytes. */
export const padded = (bytes: number): number => Math.ceil(bytes / 16) * 16;
