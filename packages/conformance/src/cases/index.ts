import { batchNormCases } from './batch-norm.ts';
import { channelCases } from './channels.ts';
import { convCases } from './conv.ts';
import { denseCases } from './dense.ts';
import { elementwiseCases } from './elementwise.ts';
import { imageCases } from './images.ts';
import { lossCases } from './loss.ts';
import { lossScaleCases } from './loss-scale.ts';
import type { CaseTable } from './op-cases.ts';
import { optimizerCases } from './optimizer.ts';
import { poolCasesByKind } from './pool.ts';
import { quantizedCases } from './quantized.ts';
import { shapeCases } from './shape.ts';

/**
 * The cases of every op: a kind without cases does not type-check. Their bounds are those of f32: a backend that holds activations as
 * f16 is measured over whole nets instead, in the norm.
 */
export const opCases: CaseTable = {
  ...convCases,
  ...batchNormCases,
  ...elementwiseCases,
  ...poolCasesByKind,
  ...denseCases,
  ...shapeCases,
  ...channelCases,
  ...lossCases,
  ...optimizerCases,
  ...imageCases,
  ...lossScaleCases,
  ...quantizedCases,
};
