import { GuardError } from '@skiplane/core';
import type { Assembled, PlacedPart } from './assemble.ts';
import type { Heap } from './heap.ts';
import { guardBytes, guardWord } from './tensor.ts';

type Guarded = Pick<Assembled, 'parts' | 'tensors'>;

/** Fills the arenas with NaN, and puts sentinels behind every block of them. */
export function setGuards(heap: Heap, { parts }: Guarded): void {
  for (const part of parts) {
    for (const arena of part.arenas) heap.f32(arena, part.plan.arenaBytes / 4).fill(Number.NaN);
    for (const { sentinel } of sentinels(part)) heap.i32(sentinel, guardBytes / 4).fill(guardWord);
  }
}

/** @throws {GuardError} when a kernel wrote behind a block of an arena or behind a tensor */
export function checkGuards(heap: Heap, { parts, tensors }: Guarded): void {
  const broken = (offset: number): boolean => heap.i32(offset, guardBytes / 4).some((word) => word !== guardWord);
  for (const part of parts) {
    for (const { sentinel, block } of sentinels(part)) {
      if (!broken(sentinel)) continue;
      const ops = part.graph.ops.slice(block.firstOp, block.lastOp + 1).map(({ kind, label }) => `${kind} '${label}'`);
      throw new GuardError(
        `a kernel wrote behind a block of ${block.bytes} bytes that these ops use: ${ops.join(', ')}.`,
        { block },
      );
    }
  }
  for (const [name, tensor] of tensors) {
    if (broken(tensor.guardOffset)) throw new GuardError(`a kernel wrote behind the tensor '${name}'.`, { name });
  }
}

function sentinels({ arenas, plan }: PlacedPart) {
  return arenas.flatMap((arena) =>
    plan.blocks.map((block) => ({ sentinel: arena + block.offset + block.bytes, block })),
  );
}
