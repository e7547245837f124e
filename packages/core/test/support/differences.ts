/** Elements that differ by more than `tolerance`·(1 + |expected|), as readable lines; none when all agree. */
export function differences(
  actual: Readonly<Record<string, ArrayLike<number>>>,
  expected: Readonly<Record<string, ArrayLike<number>>>,
  tolerance: number,
): readonly string[] {
  const names = new Set([...Object.keys(actual), ...Object.keys(expected)]);
  return [...names].flatMap((name) => {
    const got = Array.from(actual[name] ?? []);
    const wanted = Array.from(expected[name] ?? []);
    if (got.length !== wanted.length) return [`${name}: ${got.length} elements, expected ${wanted.length}`];
    return got.flatMap((value, at) => {
      const want = wanted[at] ?? Number.NaN;
      const close = Object.is(value, want) || Math.abs(value - want) <= tolerance * (1 + Math.abs(want));
      return close ? [] : [`${name}[${at}]: ${value}, expected ${want}`];
    });
  });
}
