import { FormatError } from '@skiplane/core';
import type { Architecture, BranchConvolution, Shortcut } from '../architecture/architecture.ts';
import type { TensorNames } from './tensor-names.ts';
import type { TorchNaming } from './torch-naming.ts';

/** A network as its weights tell it. */
export interface TorchNetwork {
  readonly architecture: Architecture;
  readonly channels: number;
  readonly classes: number;
  /** Those of the naming's projections and heads that the weights have. */
  readonly projection: TorchNaming['projections'][number];
  readonly head: string;
}

/**
 * The architecture whose weights have these names and shapes. What they cannot tell is the libraries' own: padding on all
 * sides alike; stride 2 in the first unit of every stage but the first, in the second of three convolutions; stride 2 and a
 * pool of stride 2 in a stem of 7×7.
 *
 * @throws {FormatError} when the numbers of units ask for more of them than there are tensors
 */
export function torchArchitecture(names: TensorNames, naming: TorchNaming): TorchNetwork {
  const { units, convs } = unitsOf(names, naming);
  const reader = new ShapeReader(names, naming, units);
  const [filters = 16, channels = 3, kernelSize = 3] = names.shape(`${naming.stem.conv}.weight`) ?? [];
  const head = naming.heads.find((name) => names.has(`${name}.weight`)) ?? naming.heads[0] ?? '';
  const [classes = 1] = names.shape(`${head}.weight`) ?? names.shape(`${head}.bias`) ?? [];
  const large = kernelSize >= 7;
  const stages = units.map((count, stage) => ({
    units: count,
    width: reader.width(stage),
    strides: stage > 0 ? 2 : 1,
  }));
  const branch = Array.from({ length: convs }, (_, i) => reader.branchConvolution(i, convs));
  const changesFirst = filters !== (stages[0]?.width ?? filters) * (branch.at(-1)?.expansion ?? 1);
  const { projection, shortcut } = reader.shortcut(stages.length - (changesFirst ? 0 : 1));
  const architecture: Architecture = {
    padding: 'symmetric',
    bias: names.has(`${naming.stem.conv}.bias`),
    stem: { filters, kernelSize, strides: large ? 2 : 1, pool: large },
    stages,
    branch,
    order: naming.order,
    shortcut,
  };
  return { architecture, channels, classes, projection, head };
}

/** Units of every stage, and convolutions of a unit. A batch norm tells of a convolution, too, which may be missing. */
function unitsOf(names: TensorNames, { inUnit, firstStage, firstUnit, firstConv }: TorchNaming) {
  const counts: number[] = [];
  let convs = 1;
  for (const name of names.all()) {
    const { stage, unit, conv } = inUnit.exec(name)?.groups ?? {};
    if (stage === undefined || unit === undefined || conv === undefined) continue;
    const [at, count] = [Number(stage) - firstStage, Number(unit) - firstUnit + 1];
    if (at < 0 || count < 1) throw new FormatError(`'${name}' comes before the first unit of the first stage.`);
    counts[at] = Math.max(counts[at] ?? 0, count);
    convs = Math.max(convs, Number(conv) - firstConv + 1);
  }
  // A stage in between that has no tensors is one whose tensors are missing.
  const units = Array.from(counts, (count: number | undefined) => count ?? 1);
  const total = units.reduce((sum, count) => sum + count, 0);
  if (total > names.count) {
    throw new FormatError(
      `units are numbered as if there were ${total} of them, but there are ${names.count} tensors.`,
    );
  }
  return { units, convs };
}

/** Reads what shapes tell of units; where the first unit's tensor is missing, another's tells it. */
class ShapeReader {
  readonly #names: TensorNames;
  readonly #naming: TorchNaming;
  readonly #units: readonly number[];

  constructor(names: TensorNames, naming: TorchNaming, units: readonly number[]) {
    this.#names = names;
    this.#naming = naming;
    this.#units = units;
  }

  width(stage: number): number {
    return this.#filter(stage, 1)?.[0] ?? 16 * 2 ** Math.min(stage, 8);
  }

  branchConvolution(index: number, convs: number): BranchConvolution {
    const strided = index === (convs === 3 ? 1 : 0);
    for (const stage of this.#units.keys()) {
      const [filters, , kernelSize] = this.#filter(stage, index + 1) ?? [];
      if (filters === undefined || kernelSize === undefined) continue;
      return { kernelSize, expansion: Math.max(1, Math.round(filters / this.width(stage))), strided };
    }
    return { kernelSize: 3, expansion: 1, strided };
  }

  /** @param changing  units that change the shape */
  shortcut(changing: number): { readonly projection: TorchNetwork['projection']; readonly shortcut: Shortcut } {
    const { projections } = this.#naming;
    const all = this.#units.flatMap((count, stage) =>
      Array.from({ length: count }, (_, unit) => this.#unit(stage, unit)),
    );
    const projecting = ({ conv, bn = conv }: TorchNetwork['projection']): number =>
      all.filter((unit) => [conv, bn].some((layer) => this.#names.has(`${unit}.${layer}.weight`))).length;
    const projection = projections.find((candidate) => projecting(candidate) > 0);
    if (projection === undefined) return { projection: projections[0] ?? { conv: 'projection' }, shortcut: 'A' };
    return { projection, shortcut: projecting(projection) === all.length && all.length > changing ? 'C' : 'B' };
  }

  #unit(stage: number, unit: number): string {
    return this.#naming.unit(stage + this.#naming.firstStage, unit + this.#naming.firstUnit);
  }

  /** [filters, inChannels, height, width] of a convolution in the first unit of a stage that has it. */
  #filter(stage: number, conv: number): readonly number[] | undefined {
    for (let unit = 0; unit < (this.#units[stage] ?? 0); unit++) {
      const shape = this.#names.shape(
        `${this.#unit(stage, unit)}.${this.#naming.conv(conv - 1 + this.#naming.firstConv)}.weight`,
      );
      if (shape !== undefined) return shape;
    }
    return undefined;
  }
}
