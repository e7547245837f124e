import { SkiplaneError, UnsupportedError } from '@skiplane/core';
import { adapterName, chooseAdapter, isSoftware, noAdapter, type AdapterChoice } from './adapter.ts';
import { findPackage, nodeModule } from './node.ts';
import { findDriver, type DriverFiles } from './software.ts';
import type { SoftwareDriver } from './software-drivers.ts';

/** The npm package `webgpu`: Dawn, Chromium's WebGPU. */
interface Dawn {
  create(options: string[]): GPU;
}

interface DawnAdapter {
  readonly backend: string;
  readonly name: string;
}

/** Dawn crashes when it is collected while work is under way, so it lives as long as the process, which it does not keep alive. */
const instances = new Set<GPU>();

/** An adapter and its name in {@link listNodeAdapters}. */
interface NamedAdapter {
  readonly adapter: GPUAdapter;
  readonly name: string;
}

/** The adapter that Dawn finds in this process. @throws {UnsupportedError} with what to install */
export async function openNodeAdapter(choice: AdapterChoice): Promise<NamedAdapter> {
  const dawn = await loadDawn();
  if (choice.software === undefined) return exclusively(() => requestAdapter(dawn, choice));
  // Windows has a software adapter of its own.
  if (choice.software === true && process.platform === 'win32') return exclusively(() => requestAdapter(dawn, choice));
  const files = await findDriver(choice.software);
  return exclusively(() => withDriver(files, () => requestAdapter(dawn, { ...choice, software: files.driver })));
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
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ url)) as Dawn;
  } catch (error) {
    throw new UnsupportedError(
      `the npm package 'webgpu' (Dawn) does not load on ${process.platform}-${process.arch}: ${(error as Error).message}`,
      { entry },
      error,
    );
  }
}

async function requestAdapter(dawn: Dawn, choice: AdapterChoice): Promise<NamedAdapter> {
  const { adapter: asked, powerPreference, software } = choice;
  const adapters = await listDawnAdapters(dawn);
  if (asked !== undefined && adapters.length === 0) throw noAdapter(installHint(software));
  const chosen = asked === undefined ? undefined : chooseAdapter(asked, adapters, ({ name }) => name);
  const flags = chosen === undefined ? [] : [`backend=${chosen.backend}`, `adapter=${chosen.name}`];
  if (typeof software === 'string') flags.push('backend=vulkan');
  const options = { forceFallbackAdapter: software === true, ...(powerPreference && { powerPreference }) };
  const adapter = await newInstance(dawn, flags)
    .requestAdapter(options)
    .catch((error: unknown) => {
      throw noAdapter(installHint(software), (error as Error).message);
    });
  if (adapter === null) throw noAdapter(installHint(software));
  const name = adapters.find((listed) => isNamed(adapter, listed))?.name ?? adapterName(adapter);
  if (software !== undefined && !isSoftware(adapter)) throw noAdapter(installHint(software), `but for '${name}'`);
  if (chosen !== undefined && name !== chosen.name) {
    throw new UnsupportedError(
      `Dawn gives the adapter '${name}' in place of '${chosen.name}', whose name is a part of it.`,
    );
  }
  return { adapter, name };
}

/** Dawn gives names to `info.device` in lower-case letters and digits, and a dash for all between them. */
function isNamed({ info }: GPUAdapter, { name }: DawnAdapter): boolean {
  return info.device === name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}

/** Dawn rounds the device's clock to 65 µs, which keeps a web page from spying with it; a program in Node may look closely. */
const fineTimestamps = 'disable-dawn-features=timestamp_quantization';

function newInstance(dawn: Dawn, flags: string[]): GPU {
  const gpu = dawn.create([...flags, fineTimestamps]);
  instances.add(gpu);
  return gpu;
}

/** Adapters by name, in the order of their indices. */
export async function listNodeAdapters(): Promise<readonly string[]> {
  const dawn = await loadDawn();
  return (await exclusively(() => listDawnAdapters(dawn))).map(({ name }) => name);
}

/** Dawn lists its adapters in the error about one that it does not have, which it gives when it has any. */
async function listDawnAdapters(dawn: Dawn): Promise<readonly DawnAdapter[]> {
  let found: GPUAdapter | null;
  try {
    found = await newInstance(dawn, ['adapter=none of these']).requestAdapter();
  } catch (error) {
    const lines = (error as Error).message.matchAll(/backend: '([^']*)', name: '(.*)'/g);
    return [...lines]
      .map(([, backend = '', name = '']) => ({ backend, name }))
      .filter(({ backend }) => backend !== 'null');
  }
  if (found === null) return [];
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
