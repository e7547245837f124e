/** Images of each part of a batch, as even as can be, the larger ones first. */
export function partSizes(batch: number, parts: number): readonly number[] {
  const [size, larger] = [Math.floor(batch / parts), batch % parts];
  return Array.from({ length: parts }, (_, part) => size + (part < larger ? 1 : 0));
}

/** Parts of a smaller batch, when a full one has some: none of them is larger. */
export const partsOf = (batch: number, full: number, parts: number): number => Math.ceil((batch * parts) / full);
