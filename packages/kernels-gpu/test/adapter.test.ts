import { UnsupportedError, ValueError } from '@skiplane/core';
import { describe, expect, test } from 'vitest';
import { adapterName, browserAdapters, chooseAdapter, isSoftware, openBrowserAdapter } from '../src/adapter.ts';

type Info = Partial<Record<'vendor' | 'architecture' | 'device' | 'description', string>>;

/** An adapter as a browser shows it. */
function adapter(info: Info, isFallbackAdapter = false): GPUAdapter {
  const full = { vendor: '', architecture: '', device: '', description: '', ...info, isFallbackAdapter };
  return { info: full } as unknown as GPUAdapter;
}

interface Offer {
  readonly fast?: GPUAdapter;
  readonly slow?: GPUAdapter;
  readonly fallback?: GPUAdapter;
}

/** A `navigator.gpu` that offers adapters by what they are asked for with. */
function offering({ fast, slow, fallback }: Offer): GPU {
  const requestAdapter = ({ powerPreference, forceFallbackAdapter }: GPURequestAdapterOptions = {}) =>
    Promise.resolve((forceFallbackAdapter ? fallback : powerPreference === 'low-power' ? slow : fast) ?? null);
  return { requestAdapter } as unknown as GPU;
}

const none = { adapter: undefined, powerPreference: undefined, software: undefined };
const fast = adapter({ vendor: 'nvidia', architecture: 'lovelace', description: 'NVIDIA GeForce RTX 4070' });
const slow = adapter({ vendor: 'intel', architecture: 'xe', device: 'Iris Xe' });
const fallback = adapter({ vendor: 'google', architecture: 'swiftshader' }, true);

describe('the name of an adapter', () => {
  test('is the most telling of what the system says', () => {
    expect([fast, slow, fallback].map(adapterName)).toEqual([
      'NVIDIA GeForce RTX 4070',
      'Iris Xe',
      'google swiftshader',
    ]);
    expect(adapterName(adapter({}))).toBe('an adapter without a name');
  });

  test('gives software away, and so does the mark of a fallback', () => {
    expect([fast, slow, fallback].map(isSoftware)).toEqual([false, false, true]);
    for (const description of ['llvmpipe (LLVM 19.1.7, 256 bits)', 'SwiftShader', 'Microsoft Basic Render Driver']) {
      expect(isSoftware(adapter({ description }))).toBe(true);
    }
    expect(isSoftware(adapter({ vendor: 'mesa', architecture: 'software' }, true))).toBe(true);
    expect(isSoftware(adapter({ description: 'AMD Radeon (Warpath)' }))).toBe(false);
  });
});

describe('chooseAdapter', () => {
  const names = ['NVIDIA RTX 4070', 'NVIDIA RTX 4070 Ti', 'Intel Iris Xe'];
  const choose = (asked: string | number): string => chooseAdapter(asked, names, (name) => name);
  const list = 'adapters: 0: NVIDIA RTX 4070; 1: NVIDIA RTX 4070 Ti; 2: Intel Iris Xe.';

  test('takes an index, a name or a part of one, in any case', () => {
    expect([choose(1), choose('iris'), choose(' 4070 TI ')]).toEqual([
      'NVIDIA RTX 4070 Ti',
      'Intel Iris Xe',
      'NVIDIA RTX 4070 Ti',
    ]);
  });

  test('a whole name is chosen though it is the beginning of another one', () => {
    expect(choose('nvidia rtx 4070')).toBe('NVIDIA RTX 4070');
  });

  test.each([3, -1, 0.5, Number.NaN])('index %d is not there, and the error lists all', (index) => {
    expect(() => choose(index)).toThrow(new UnsupportedError(`there is no adapter ${index}; ${list}`));
  });

  test('a wrong or ambiguous name lists all', () => {
    expect(() => choose('radeon')).toThrow(new UnsupportedError(`no adapter is named like 'radeon'; ${list}`));
    const several = `'nvidia' fits several adapters: name one, or give its index; ${list}`;
    expect(() => choose('nvidia')).toThrow(new UnsupportedError(several));
    expect(() => choose(' ')).toThrow(ValueError);
    const nothing = "no adapter is named like 'x'; adapters: none.";
    expect(() => chooseAdapter('x', [], String)).toThrow(new UnsupportedError(nothing));
  });

  test('of several adapters of one name, as of two drivers of one GPU, the first', () => {
    const twins = [
      { name: 'RTX', driver: 'd3d12' },
      { name: 'RTX', driver: 'vulkan' },
    ];
    expect(chooseAdapter('rtx', twins, ({ name }) => name).driver).toBe('d3d12');
  });
});

describe('openBrowserAdapter', () => {
  const gpu = offering({ fast, slow, fallback });

  test('passes the power preference on', async () => {
    expect(await openBrowserAdapter(gpu, none)).toBe(fast);
    expect(await openBrowserAdapter(gpu, { ...none, powerPreference: 'low-power' })).toBe(slow);
    expect(await openBrowserAdapter(gpu, { ...none, powerPreference: 'high-performance' })).toBe(fast);
  });

  test('finds by name and index what the browser gives for any preference', async () => {
    expect((await browserAdapters(gpu)).map(adapterName)).toEqual([
      'NVIDIA GeForce RTX 4070',
      'Iris Xe',
      'google swiftshader',
    ]);
    expect(await openBrowserAdapter(gpu, { ...none, adapter: 'iris' })).toBe(slow);
    expect(await openBrowserAdapter(gpu, { ...none, adapter: 2 })).toBe(fallback);
    await expect(openBrowserAdapter(gpu, { ...none, adapter: 'radeon' })).rejects.toThrow(
      "no adapter is named like 'radeon'; adapters: 0: NVIDIA GeForce RTX 4070; 1: Iris Xe; 2: google swiftshader.",
    );
  });

  test('lists an adapter that is given for all preferences once', async () => {
    expect(await browserAdapters(offering({ fast, slow: fast }))).toEqual([fast]);
  });

  test('software: the fallback, and nothing in its place', async () => {
    expect(await openBrowserAdapter(gpu, { ...none, software: true })).toBe(fallback);
    await expect(openBrowserAdapter(offering({ fast }), { ...none, software: true })).rejects.toThrow(
      new UnsupportedError('no WebGPU adapter was found. This browser has no software adapter.'),
    );
    await expect(openBrowserAdapter(offering({ fallback: fast }), { ...none, software: true })).rejects.toThrow(
      "(it offers 'NVIDIA GeForce RTX 4070' in its place). This browser has no software adapter.",
    );
    await expect(openBrowserAdapter(gpu, { ...none, software: 'llvmpipe' })).rejects.toThrow(
      "a page cannot choose the software driver 'llvmpipe'; { software: true } asks for any.",
    );
  });

  test('without an adapter says where to look', async () => {
    await expect(openBrowserAdapter(offering({}), none)).rejects.toThrow(
      /^no WebGPU adapter was found\. Look at chrome:\/\/gpu .* or use the wasm backend\.$/,
    );
  });
});
