import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { GpuDeviceOptions } from '@skiplane/kernels-gpu';

/** Parser of `--gpu`: `software` or a driver, a power preference, an index, or a part of a name. */
export function gpuAdapter(text: string): GpuDeviceOptions {
  const asked = text.trim();
  switch (asked) {
    case '':
      throw new InvalidArgumentError("It must be 'software', an index, or a part of an adapter's name.");
    case 'software':
      return { software: true };
    case 'swiftshader':
    case 'llvmpipe':
      return { software: asked };
    case 'low-power':
    case 'high-performance':
      return { powerPreference: asked };
    default:
      return { adapter: /^\d+$/.test(asked) ? Number(asked) : asked };
  }
}

/** The text that {@link gpuAdapter} parses. */
export function formatGpuAdapter({ software, powerPreference, adapter }: GpuDeviceOptions): string {
  return software === true ? 'software' : String(software || (powerPreference ?? adapter));
}
