import { UnsupportedError, ValueError } from '@skiplane/core';
import { adapterName, browserAdapters, isSoftware, openBrowserAdapter, type AdapterChoice } from './adapter.ts';
import { isNode } from './node.ts';
import { softwareDrivers, type SoftwareDriver } from './software-drivers.ts';

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

/** No page needs it. */
const nodeGpu = () => import('./node-gpu.ts');

const noGpu =
  'WebGPU is not to be had: this browser has no navigator.gpu, or the page is not served over https or from localhost. ' +
  'Use a current Chrome or Edge, a Firefox or Safari that has it on this system, or WebAssembly (the wasm backend).';

/** Names of the adapters that can be asked for, in the order of their indices. @throws {UnsupportedError} without WebGPU */
export async function listGpuAdapters(): Promise<readonly string[]> {
  const gpu = navigatorGpu();
  if (gpu !== undefined) return (await browserAdapters(gpu)).map(adapterName);
  if (isNode()) return (await nodeGpu()).listNodeAdapters();
  throw new UnsupportedError(noGpu);
}

/**
 * @throws {UnsupportedError} without WebGPU, without a fitting adapter, or when the only one is a software adapter nobody asked for
 * @throws {ValueError} when options contradict each other
 */
export async function openDevice(options: GpuDeviceOptions): Promise<OpenDevice> {
  const { adapter, name } = await openAdapter(options);
  const limits = Object.fromEntries(usefulLimits.map((limit) => [limit, adapter.limits[limit]]));
  const features = usefulFeatures.filter((feature) => adapter.features.has(feature));
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ label: 'skiplane', requiredLimits: limits, requiredFeatures: features });
  } catch (error) {
    throw new UnsupportedError(`the adapter '${name}' gives no device: ${(error as Error).message}`, { name }, error);
  }
  return { device, name, software: isSoftware(adapter), features, limits };
}

const powerPreferences: readonly string[] = ['low-power', 'high-performance'];

/** @throws {ValueError} when an option has no meaning, or two of them choose */
function checkOptions({ adapter, powerPreference, software }: GpuDeviceOptions): AdapterChoice {
  if (typeof software === 'string' && !softwareDrivers.includes(software)) {
    throw new ValueError(`software is '${software}', but must be true, ${softwareDrivers.join(' or ')}.`);
  }
  if (powerPreference !== undefined && !powerPreferences.includes(powerPreference)) {
    throw new ValueError(`powerPreference is '${powerPreference}', but must be ${powerPreferences.join(' or ')}.`);
  }
  const given = Object.entries({ adapter, powerPreference, software: software === false ? undefined : software });
  const choices = given.filter(([, value]) => value !== undefined).map(([name, value]) => `${name} '${value}'`);
  if (choices.length > 1) {
    throw new ValueError(`${choices.join(' and ')} each choose an adapter: give one of them.`);
  }
  return { adapter, powerPreference, software: software === false ? undefined : software };
}

async function openAdapter(options: GpuDeviceOptions): Promise<{ adapter: GPUAdapter; name: string }> {
  const choice = checkOptions(options);
  const gpu = navigatorGpu();
  if (gpu === undefined && !isNode()) throw new UnsupportedError(noGpu);
  const opened =
    gpu === undefined ? await (await nodeGpu()).openNodeAdapter(choice) : await openNavigatorAdapter(gpu, choice);
  if (isSoftware(opened.adapter) && choice.adapter === undefined && choice.software === undefined) {
    throw new UnsupportedError(
      `the only adapter is '${opened.name}', which computes on the processor, slower than the wasm backend. ` +
        'Install a GPU driver, or ask for it: { software: true } or its name.',
      { adapter: opened.name },
    );
  }
  return opened;
}

async function openNavigatorAdapter(gpu: GPU, choice: AdapterChoice) {
  const adapter = await openBrowserAdapter(gpu, choice);
  return { adapter, name: adapterName(adapter) };
}
