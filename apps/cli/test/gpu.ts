import { UnsupportedError } from '@skiplane/core';
import { createGpuBackend } from '@skiplane/kernels-gpu';

/** Why the gpu backend cannot be tested on SwiftShader here; undefined where it can. */
export async function missingGpu(): Promise<string | undefined> {
  try {
    (await createGpuBackend({ software: 'swiftshader' })).dispose();
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedError) return error.message;
    throw error;
  }
}
