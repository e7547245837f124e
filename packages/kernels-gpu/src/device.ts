import { UnsupportedError, ValueError } from '@skiplane/core';
import { adapterName, browserAdapters, isSoftware, openBrowserAdapter } from './adapter.ts';
import { isNode } from './node.ts';
import { listNodeAdapters, openNodeAdapter } from './node-gpu.ts';
import type { SoftwareDriver } from './software.ts';

export interface GpuDeviceOptions {
  /** The adapter by index in {@link listGpuAdapters} or by a part of its name (default: what the system prefers). */
  readonly adapter?: string | number;
  /** Which adapter the system should prefer where it has several. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /**
   * Compute on the processor, for tests and machines without a GPU: `true`, or a driver. SwiftShader needs the npm package
   * `@sparticuz/chromium` (Linux on x64), llvmpipe an installed Mesa. A software adapter is never chosen unless asked for.
   */
  readonly software?: boolean | SoftwareDriver;
}

export interface OpenDevice {
  readonly device: GPUDevice;
  readonly name: string;
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

/** Limits that larger tensors or faster kernels may use; all are asked for as high as the adapter goes. */
const usefulLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

const usefulFeatures = ['shader-f16', 'subgroups', 'timestamp-query'] as const satisfies readonly GPUFeatureName[];

/** `navigator.gpu`, where there is one. */
function navigatorGpu(): GPU | undefined {
  return (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
}

const noGpu =
  'WebGPU is not to be had: this browser has no navigator.gpu, or the page is not served over https or from localhost. ' +
  'Use a current Chrome, Edge, Firefox or Safari, or the wasm backend.';

/** Names of the adapters that can be asked for, in the order of their indices. @throws {UnsupportedError} without WebGPU */
export async function listGpuAdapters(): Promise<readonly string[]> {
  const gpu = navigatorGpu();
  if (gpu !== undefined) return (await browserAdapters(gpu)).map(adapterName);
  if (isNode()) return listNodeAdapters();
  throw new UnsupportedError(noGpu);
}

/** @throws {UnsupportedError} without WebGPU, without a fitting adapter, or when the only one is a software adapter nobody asked for */
export async function openDevice(options: GpuDeviceOptions): Promise<OpenDevice> {
  const adapter = await openAdapter(options);
  const limits = Object.fromEntries(usefulLimits.map((limit) => [limit, adapter.limits[limit]]));
  const features = usefulFeatures.filter((feature) => adapter.features.has(feature));
  const name = adapterName(adapter);
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ label: 'skiplane', requiredLimits: limits, requiredFeatures: features });
  } catch (error) {
    throw new UnsupportedError(`the adapter '${name}' gives no device: ${(error as Error).message}`, { name }, error);
  }
  return { device, name, software: isSoftware(adapter), features, limits };
}

async function openAdapter(options: GpuDeviceOptions): Promise<GPUAdapter> {
  const { adapter: asked, powerPreference, software: askedSoftware } = options;
  const software = askedSoftware === false ? undefined : askedSoftware;
  if (asked !== undefined && software !== undefined) {
    throw new ValueError(`adapter '${asked}' and software '${software}' are two choices: give one.`);
  }
  const choice = { adapter: asked, powerPreference, software };
  const gpu = navigatorGpu();
  if (gpu === undefined && !isNode()) throw new UnsupportedError(noGpu);
  const adapter = gpu === undefined ? await openNodeAdapter(choice) : await openBrowserAdapter(gpu, choice);
  if (isSoftware(adapter) && asked === undefined && software === undefined) {
    throw new UnsupportedError(
      `the only adapter is '${adapterName(adapter)}', which computes on the processor, slower than the wasm backend. ` +
        'Install a GPU driver, or ask for it: { software: true } or its name.',
      { adapter: adapterName(adapter) },
    );
  }
  return adapter;
}
