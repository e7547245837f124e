import { ceilDiv, fold, type Binding } from './lowering.ts';
import { vectorsOf } from './conv-shape.ts';
import { workgroupSize, type Plan } from './plan.ts';

/** What a convolution adds to its sums, and what it does to them; absent where not given. */
export interface Epilogue {
  readonly bias?: Binding | undefined;
  readonly residual?: Binding | undefined;
  /** Where it is not above zero, the result is zero. */
  readonly mask?: Binding | undefined;
  readonly relu: boolean;
}

/** Override constants of an epilogue. */
export function epilogueConstants({ bias, residual, mask, relu }: Epilogue) {
  return {
    hasBias: Number(bias !== undefined),
    hasResidual: Number(residual !== undefined),
    hasMask: Number(mask !== undefined),
    relu: Number(relu),
  };
}

/** Bindings of an epilogue; `unread` stands in for what is absent. */
export function epilogueBindings({ bias, residual, mask }: Epilogue, unread: Binding): readonly Binding[] {
  return [bias ?? unread, residual ?? unread, mask ?? unread];
}

/** The image with whole vectors of channels: itself, or a padded copy. */
export function withWholeVectors(plan: Plan, image: Binding, positions: number, channels: number): Binding {
  if (channels % 4 === 0) return image;
  const vectors = vectorsOf(channels);
  const padded = plan.workspace(positions * vectors * 4);
  plan.add({
    shader: 'pad-channels',
    constants: { positions, channels, vectors },
    bindings: [image, padded],
    workgroups: fold(ceilDiv(positions * vectors, workgroupSize)),
  });
  return padded;
}

/**
 * Lets `compute` write an image of whole vectors of channels with its epilogue: y itself, or padded sums to which the epilogue
 * is applied afterwards.
 */
export function toWholeVectors(
  plan: Plan,
  { y, positions, channels, epilogue }: { y: Binding; positions: number; channels: number; epilogue: Epilogue },
  compute: (target: Binding, epilogue: Epilogue) => void,
): void {
  if (channels % 4 === 0) return compute(y, epilogue);
  const paddedChannels = vectorsOf(channels) * 4;
  const sums = plan.workspace(positions * paddedChannels);
  compute(sums, { relu: false });
  plan.add({
    shader: 'conv-epilogue',
    constants: { positions, channels, paddedChannels, ...epilogueConstants(epilogue) },
    bindings: [sums, ...epilogueBindings(epilogue, sums), y],
    workgroups: fold(ceilDiv(positions * channels, workgroupSize)),
  });
}
