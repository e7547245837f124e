import { SkiplaneError, UnsupportedError } from '@skiplane/core';
import { chooseAdapter, isSoftware, noAdapter, type AdapterChoice } from './adapter.ts';
import { findPackage, isNode, nodeModule } from './node.ts';
import { findDriver, type DriverFiles, type SoftwareDriver } from './software.ts';

/** The npm package `webgpu`: Dawn, Chromium's WebGPU. */
interface Dawn {
  create(options: string[]): GPU;
}

interface DawnAdapter {
  readonly backend: string;
  readonly name: string;
}

/**
 * Dawn crashes when it is collected while work is under way, so it lives as long as the process; and devices are destroyed
 * before the process ends, which waits for their work. Neither keeps the process alive.
 */
const instances = new Set<GPU>();
const devices = new Set<GPUDevice>();
const destroyAll = (): void => devices.forEach((device) => device.destroy());

export function keepUntilExit(device: GPUDevice): void {
  if (!isNode()) return;
  if (devices.size === 0) process.once('exit', destroyAll);
  devices.add(device);
}

export function forget(device: GPUDevice): void {
  if (devices.delete(device) && devices.size === 0) process.off('exit', destroyAll);
}

/** The adapter that Dawn finds in this process. @throws {UnsupportedError} with what to install */
export async function openNodeAdapter(choice: AdapterChoice): Promise<GPUAdapter> {
  const dawn = await loadDawn();
  if (choice.software === undefined) return exclusively(() => requestAdapter(dawn, choice));
  const driver = await softwareDriver(choice.software);
  if (driver === undefined) return exclusively(() => requestAdapter(dawn, choice));
  const files = await findDriver(driver);
  return exclusively(() => withDriver(files, () => requestAdapter(dawn, { ...choice, software: driver })));
}

/** Which driver `software` means here; undefined where the system's own fallback adapter is meant. */
async function softwareDriver(asked: SoftwareDriver | true): Promise<SoftwareDriver | undefined> {
  if (asked !== true) return asked;
  if (process.platform === 'win32') return undefined;
  return process.arch === 'x64' ? 'swiftshader' : 'llvmpipe';
}

async function loadDawn(): Promise<Dawn> {
  const entry = findPackage('webgpu');
  if (entry === undefined) {
    throw new UnsupportedError(
      "WebGPU is not to be had: Node has no navigator.gpu, and the npm package 'webgpu' (Dawn) is not installed: npm install webgpu.",
    );
  }
  try {
    const url: string = nodeModule('node:url').pathToFileURL(entry).href;
    return (await import(/* @vite-ignore */ url)) as Dawn;
  } catch (error) {
    throw new UnsupportedError(
      `the npm package 'webgpu' (Dawn) does not load on ${process.platform}-${process.arch}: ${(error as Error).message}`,
      { entry },
      error,
    );
  }
}

async function requestAdapter(dawn: Dawn, choice: AdapterChoice): Promise<GPUAdapter> {
  const flags = choice.software === undefined ? await adapterFlags(dawn, choice.adapter) : [];
  if (typeof choice.software === 'string') flags.push('backend=vulkan');
  const gpu = dawn.create(flags);
  instances.add(gpu);
  const fallback = choice.software === true;
  const options = {
    forceFallbackAdapter: fallback,
    ...(choice.powerPreference && { powerPreference: choice.powerPreference }),
  };
  const adapter = await gpu.requestAdapter(options).catch((error: unknown) => {
    throw noAdapter(installHint(choice.software), (error as Error).message);
  });
  if (adapter === null) throw noAdapter(installHint(choice.software));
  if (choice.software === 'llvmpipe' && !isSoftware(adapter)) throw noAdapter(installHint('llvmpipe'));
  return adapter;
}

async function adapterFlags(dawn: Dawn, adapter: string | number | undefined): Promise<string[]> {
  if (adapter === undefined) return [];
  const adapters = await listDawnAdapters(dawn);
  const { backend, name } = chooseAdapter(adapter, adapters, ({ name: full }) => full);
  return [`backend=${backend}`, `adapter=${name}`];
}

/** Adapters by name, in the order of their indices. */
export async function listNodeAdapters(): Promise<readonly string[]> {
  const dawn = await loadDawn();
  return (await exclusively(() => listDawnAdapters(dawn))).map(({ name }) => name);
}

/** Dawn lists its adapters in the error about one that it does not have. */
async function listDawnAdapters(dawn: Dawn): Promise<readonly DawnAdapter[]> {
  const gpu = dawn.create(['adapter=none of these']);
  instances.add(gpu);
  try {
    await gpu.requestAdapter();
  } catch (error) {
    const lines = (error as Error).message.matchAll(/backend: '([^']*)', name: '(.*)'/g);
    return [...lines]
      .map(([, backend = '', name = '']) => ({ backend, name }))
      .filter(({ backend }) => backend !== 'null');
  }
  throw new SkiplaneError('GPU', "Dawn found an adapter named 'none of these': its list of adapters cannot be had.");
}

let last: Promise<unknown> = Promise.resolve();

/** One at a time, since drivers are chosen by the environment of the process. */
function exclusively<T>(action: () => Promise<T>): Promise<T> {
  const result = last.then(action);
  last = result.catch(() => undefined);
  return result;
}

const driverVariables = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'] as const;

/** Lets the Vulkan loader see one driver only while `action` runs. */
async function withDriver<T>({ icd, loader }: DriverFiles, action: () => Promise<T>): Promise<T> {
  if (!nodeModule('node:worker_threads').isMainThread) {
    throw new UnsupportedError(
      'a software adapter must be opened in the main thread: a worker cannot set the environment.',
    );
  }
  if (loader !== undefined) preload(loader);
  const before = driverVariables.map((name) => [name, process.env[name]] as const);
  for (const name of driverVariables) process.env[name] = icd;
  try {
    return await action();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** RTLD_NODELETE of <dlfcn.h>, which Node does not name. */
const stayLoaded = 0x1000;

/**
 * Loads a shared library for good, so that Dawn's own request for `libvulkan.so.1` finds it by its name and no Vulkan loader
 * needs to be installed. Node reports that it is no addon of its own, after it has been loaded.
 */
function preload(library: string): void {
  const { RTLD_NOW } = nodeModule('node:os').constants.dlopen;
  try {
    process.dlopen({ exports: {} }, library, RTLD_NOW | stayLoaded);
  } catch (error) {
    if (!/did not self-register/.test((error as Error).message)) throw error;
  }
}

const installHints: Partial<Record<NodeJS.Platform, string>> = {
  linux:
    "Install a Vulkan driver (NVIDIA's own, or mesa-vulkan-drivers for AMD and Intel, with libvulkan1) and look with vulkaninfo; " +
    "or compute on the processor: { software: true }, which needs the npm package '@sparticuz/chromium'.",
  win32: 'Update the graphics driver; WebGPU needs Direct3D 12.',
  darwin: 'WebGPU needs Metal, which every Mac since 2012 has: is this a virtual machine?',
};

function installHint(software: SoftwareDriver | true | undefined): string {
  if (software === 'llvmpipe')
    return 'The installed llvmpipe is refused: Mesa 25 or newer is needed (Debian 12: from backports).';
  if (software !== undefined) return 'The software adapter does not start on this system.';
  return installHints[process.platform] ?? `Dawn has no driver for ${process.platform}: use the wasm backend.`;
}
