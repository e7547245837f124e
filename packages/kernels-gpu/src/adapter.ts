import { UnsupportedError, ValueError } from '@skiplane/core';
import type { SoftwareDriver } from './software-drivers.ts';

/** Which adapter to open. */
export interface AdapterChoice {
  /** Index in the list of adapters, or a part of a name. */
  readonly adapter: string | number | undefined;
  readonly powerPreference: GPUPowerPreference | undefined;
  /** A driver that computes on the processor; `true` for the one that needs the least. */
  readonly software: SoftwareDriver | true | undefined;
}

/** Name of an adapter as shown and as asked for. */
export function adapterName({ info }: GPUAdapter): string {
  const { vendor, architecture, device, description } = info;
  const parts = [description, device, [vendor, architecture].filter(Boolean).join(' ')];
  return parts.find((part) => part !== '') ?? 'an adapter without a name';
}

/** Whether an adapter computes on the processor. */
export function isSoftware(adapter: GPUAdapter): boolean {
  const { isFallbackAdapter, vendor, architecture, device, description } = adapter.info;
  return isFallbackAdapter || softwareNames.test([vendor, architecture, device, description].join(' '));
}

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** The adapter of an index, a name or a part of a name. @throws {UnsupportedError} listing all, when there is none or more than one fits */
export function chooseAdapter<T>(asked: string | number, adapters: readonly T[], nameOf: (adapter: T) => string): T {
  const list = adapters.map((adapter, index) => `${index}: ${nameOf(adapter)}`).join('; ') || 'none';
  if (typeof asked === 'number') {
    const found = adapters[asked];
    if (found === undefined) throw new UnsupportedError(`there is no adapter ${asked}; adapters: ${list}.`);
    return found;
  }
  if (asked.trim() === '') throw new ValueError('the name of an adapter must not be empty.');
  const name = asked.trim().toLowerCase();
  // A whole name wins: it may be the beginning of another one.
  const whole = adapters.filter((adapter) => nameOf(adapter).toLowerCase() === name);
  const partial = adapters.filter((adapter) => nameOf(adapter).toLowerCase().includes(name));
  const matching = whole.length > 0 ? whole : partial;
  const [found] = matching;
  if (found === undefined) throw new UnsupportedError(`no adapter is named like '${asked}'; adapters: ${list}.`);
  if (new Set(matching.map(nameOf)).size > 1) {
    throw new UnsupportedError(`'${asked}' fits several adapters: name one, or give its index; adapters: ${list}.`);
  }
  return found;
}

export function noAdapter(hint: string, cause = ''): UnsupportedError {
  const found = cause === '' ? '' : ` (${cause.trim().replaceAll('\n', ' ')})`;
  return new UnsupportedError(`no WebGPU adapter was found${found}. ${hint}`);
}

/** The adapter of a browser's `navigator.gpu`. A page sees one for each power preference at most. */
export async function openBrowserAdapter(gpu: GPU, choice: AdapterChoice): Promise<GPUAdapter> {
  const { adapter: asked, powerPreference, software } = choice;
  if (typeof software === 'string') {
    throw new UnsupportedError(
      `a page cannot choose the software driver '${software}'; { software: true } asks for any.`,
    );
  }
  if (asked !== undefined) return chooseAdapter(asked, await browserAdapters(gpu), adapterName);
  const adapter = await gpu.requestAdapter({
    forceFallbackAdapter: software === true,
    ...(powerPreference && { powerPreference }),
  });
  if (adapter === null) {
    throw noAdapter(
      software === true
        ? 'This browser has no software adapter.'
        : 'Look at chrome://gpu (or about:support) for why, update browser and graphics driver, or use the wasm backend.',
    );
  }
  if (software === true && !isSoftware(adapter)) {
    throw noAdapter('This browser has no software adapter.', `it offers '${adapterName(adapter)}' in its place`);
  }
  return adapter;
}

/** Distinct adapters that `navigator.gpu` gives. */
export async function browserAdapters(gpu: GPU): Promise<readonly GPUAdapter[]> {
  const asked: readonly GPURequestAdapterOptions[] = [
    { powerPreference: 'high-performance' },
    { powerPreference: 'low-power' },
    { forceFallbackAdapter: true },
  ];
  const adapters = await Promise.all(asked.map((options) => gpu.requestAdapter(options)));
  const byName = new Map<string, GPUAdapter>();
  for (const adapter of adapters)
    if (adapter !== null) byName.set(adapterName(adapter), byName.get(adapterName(adapter)) ?? adapter);
  return [...byName.values()];
}
