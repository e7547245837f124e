import type { TorchNetwork } from './torch-architecture.ts';
import type { TorchNaming } from './torch-naming.ts';

const roles: Readonly<Record<string, string>> = {
  filter: 'weight',
  kernel: 'weight',
  bias: 'bias',
  gamma: 'weight',
  beta: 'bias',
  mean: 'running_mean',
  variance: 'running_var',
};

/** What a parameter is called in a file: `layer1.0.conv1.weight` for `stage1/block1/conv1/filter`. */
export function fileNameOf(
  parameter: string,
  naming: TorchNaming,
  found: Pick<TorchNetwork, 'projection' | 'head'>,
): string {
  const at = parameter.lastIndexOf('/');
  return `${layerName(parameter.slice(0, at), naming, found)}.${roles[parameter.slice(at + 1)]}`;
}

function layerName(layer: string, naming: TorchNaming, found: Pick<TorchNetwork, 'projection' | 'head'>): string {
  const { stage, block, part = '' } = /^stage(?<stage>\d+)\/block(?<block>\d+)\/(?<part>.+)$/.exec(layer)?.groups ?? {};
  if (stage === undefined || block === undefined) {
    const named: Readonly<Record<string, string | undefined>> = {
      'stem/conv': naming.stem.conv,
      'stem/bn': naming.stem.bn,
      'head/bn': naming.last,
      'head/dense': found.head,
    };
    return named[layer] ?? layer;
  }
  const unit = naming.unit(Number(stage) - 1 + naming.firstStage, Number(block) - 1 + naming.firstUnit);
  return `${unit}.${unitPart(part, naming, found)}`;
}

function unitPart(part: string, naming: TorchNaming, { projection }: Pick<TorchNetwork, 'projection'>): string {
  if (part === 'projection') return projection.conv;
  if (part === 'projection-bn') return projection.bn ?? part;
  const number = Number(/\d+$/.exec(part)?.[0]) - 1 + naming.firstConv;
  return part.startsWith('conv') ? naming.conv(number) : naming.bn(number);
}
