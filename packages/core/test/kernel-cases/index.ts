import { batchNormCases } from './batch-norm.ts';
import { convCases } from './conv.ts';
import { denseCases } from './dense.ts';
import { elementwiseCases } from './elementwise.ts';
import { imageCases } from './images.ts';
import type { KernelCases } from './kernel-case.ts';
import { lossCases } from './loss.ts';
import { lossScaleCases } from './loss-scale.ts';
import { poolCases } from './pool.ts';
import { quantizedCases } from './quantized.ts';

/** Every op has a case: one without does not type-check. */
export const kernelCases: KernelCases = {
  ...convCases,
  ...batchNormCases,
  ...elementwiseCases,
  ...poolCases,
  ...denseCases,
  ...lossCases,
  ...imageCases,
  ...lossScaleCases,
  ...quantizedCases,
};
