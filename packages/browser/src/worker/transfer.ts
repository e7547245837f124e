const buffersOf = new WeakMap<object, Transferable[]>();

/** Marks a result whose buffers go to the page without a copy; the worker cannot use them afterwards. */
export function transferring<T extends object>(result: T, buffers: Transferable[]): T {
  buffersOf.set(result, buffers);
  return result;
}

export function transferablesOf(result: unknown): Transferable[] {
  return typeof result === 'object' && result !== null ? (buffersOf.get(result) ?? []) : [];
}
