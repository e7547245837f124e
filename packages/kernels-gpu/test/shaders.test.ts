import { opDef, planSlots, valueOf, type DType, type Graph, type OpKind } from '@skiplane/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDevice } from '../src/device.ts';
import { sources, type ShaderName } from '../src/generated/sources.ts';
import { callsOf, checkCall, lowerGraph, operandsOf, type Call } from '../src/lower-graph.ts';
import { maxWorkgroups, type ConvAlgorithm, type LowerOptions } from '../src/lower/lowering.ts';
import { shaderOf } from '../src/shader.ts';
import { opGraphs } from './support/op-graphs.ts';
import { softwareDrivers } from './software.ts';

const names = Object.keys(sources) as ShaderName[];
const [driver] = await softwareDrivers();

interface Declared {
  /** Operands in the order of their bindings. */
  readonly operands: readonly Operand[];
  readonly overrides: readonly string[];
}

interface Operand {
  readonly name: string;
  readonly access: string;
  readonly element: string;
  /** Its declaration in the source. */
  readonly text: string;
}

const operandPattern = /@group\(0\)@binding\((\d+)\)var<storage,(read|read_write)>(\w+):array<(\w+)>;/g;
/** What the code depends on; numbers are in the struct Params, so that a kernel is compiled once for all shapes. */
const overridePattern = /^override (\w+):bool;/gm;

function declarationsOf(source: string): Declared {
  const operands = [...source.matchAll(operandPattern)].toSorted((a, b) => Number(a[1]) - Number(b[1]));
  const aliases = new Map([...source.matchAll(/^alias (\w+)=(\w+);/gm)].map(([, name, type]) => [name, type]));
  return {
    operands: operands.map(([text, , access = '', name = '', element = '']) => ({
      name,
      access,
      element: aliases.get(element) ?? element,
      text,
    })),
    overrides: [...source.matchAll(overridePattern)].map(([, name = '']) => name),
  };
}
const declared = new Map(names.map((name) => [name, declarationsOf(shaderOf(name).source)]));

describe.runIf(driver)('every kernel', () => {
  let device: GPUDevice;
  beforeAll(async () => {
    ({ device } = await openDevice({ software: driver?.software ?? true }));
  });
  afterAll(() => device?.destroy());

  /** What the device says of a source: all messages of a level. */
  const messages = async (code: string, level: GPUCompilationMessageType): Promise<readonly string[]> => {
    device.pushErrorScope('validation');
    const info = await device.createShaderModule({ code }).getCompilationInfo();
    await device.popErrorScope();
    return info.messages.filter(({ type }) => type === level).map(({ lineNum, message }) => `${lineNum}: ${message}`);
  };

  test('compiles without a warning', async () => {
    for (const name of names) {
      const { source } = shaderOf(name);
      expect([name, await messages(source, 'error'), await messages(source, 'warning')]).toEqual([name, [], []]);
    }
  });

  test('declares operands and constants in a form that the tests below understand', () => {
    for (const name of names) {
      const { source, bindings } = shaderOf(name);
      expect([name, declared.get(name)?.operands.map(({ access }) => access)]).toEqual([name, bindings]);
      expect([name, declared.get(name)?.overrides.length]).toEqual([name, source.match(/\boverride\b/g)?.length ?? 0]);
    }
  });

  test('writes to each operand that it declares read_write', async () => {
    for (const name of names) {
      const { source } = shaderOf(name);
      for (const { text, access, name: operand } of declared.get(name)?.operands ?? []) {
        if (access === 'read') continue;
        // Where nothing is written, the device takes it as read-only.
        const readOnly = source.replace(text, text.replace('read_write', 'read'));
        expect(await messages(readOnly, 'error'), `${name} never writes to ${operand}`).not.toEqual([]);
      }
    }
  });

  test('uses every operand and every constant', async () => {
    for (const name of names) {
      const { source } = shaderOf(name);
      const { operands = [], overrides = [] } = declared.get(name) ?? {};
      const texts = [
        ...operands.map(({ text }) => text),
        ...overrides.map((override) => `override ${override}:`),
        ...shaderOf(name).params.map(([param, type]) => `\n${param}:${type},`),
      ];
      for (const text of texts) {
        // What nobody uses can be renamed.
        const renamed = source.replace(text, text.replace(/(\w+)(?=:)/, 'nobody'));
        expect(renamed).not.toBe(source);
        expect(await messages(renamed, 'error'), `${name} does not use: ${text}`).not.toEqual([]);
      }
    }
  });
});

const options = (conv: ConvAlgorithm, limit = 2 ** 27): LowerOptions => ({
  conv,
  features: new Set(),
  limits: {
    maxStorageBufferBindingSize: limit,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256,
  },
});

interface Lowered {
  readonly graph: Graph;
  readonly workspaces: readonly (readonly number[])[];
  readonly calls: readonly Call[];
}

const graphs = opGraphs();
const lowered = (['direct', 'winograd', 'auto'] as const).flatMap((conv) =>
  graphs.map((graph): Lowered => {
    const lowerings = lowerGraph(graph, options(conv));
    return { graph, workspaces: lowerings.map(({ workspaces }) => workspaces), calls: callsOf(graph, lowerings) };
  }),
);

/** Types that an element of a tensor may have in a kernel. */
const elements: Readonly<Record<DType, readonly string[]>> = {
  f32: ['f32', 'vec4f'],
  i32: ['i32'],
  u8: ['u32'],
  // No kernel takes any.
  i8: [],
};

/** Kernels that look at the bits of numbers, to tell NaN or infinity from others, or to draw random ones. */
const asBits: ReadonlySet<ShaderName> = new Set([
  'max-pool2d',
  'max-pool2d-grad',
  'top-k-correct',
  'adam',
  'adam-w',
  'sgd-momentum',
  'update-loss-scale',
  'dropout',
]);

describe('every lowering', () => {
  test('reaches every kernel', () => {
    const reached = new Set(lowered.flatMap(({ calls }) => calls.map(({ dispatch }) => dispatch.shader)));
    expect(names.filter((name) => !reached.has(name))).toEqual([]);
  });

  test('binds what its kernels take: in number, for reading or for writing, each storage for writing once', () => {
    for (const { graph, workspaces, calls } of lowered) {
      const plan = planSlots(graph, { workspaces });
      for (const call of calls) checkCall(call, operandsOf(plan, call));
    }
  });

  test('binds elements of the kernel’s type', () => {
    for (const { graph, calls } of lowered) {
      for (const { op, dispatch } of calls) {
        dispatch.bindings.forEach(({ kind, index }, i) => {
          const id = kind === 'workspace' ? undefined : (kind === 'input' ? op.inputs : op.outputs)[index];
          const dtype = id === undefined ? 'f32' : valueOf(graph, id).dtype;
          const element = declared.get(dispatch.shader)?.operands[i]?.element;
          const bits = asBits.has(dispatch.shader) && dtype !== 'u8' ? ['u32'] : [];
          expect([...elements[dtype], ...bits], `${dispatch.shader}, operand ${i}`).toContain(element);
        });
      }
    }
  });

  test('gives every constant and no other, all finite, and counts of workgroups in bounds', () => {
    for (const { calls } of lowered) {
      for (const { dispatch } of calls) {
        const { shader, constants, workgroups } = dispatch;
        const expected = [...(declared.get(shader)?.overrides ?? []), ...shaderOf(shader).params.map(([name]) => name)];
        expect([shader, Object.keys(constants).toSorted()]).toEqual([shader, expected.toSorted()]);
        expect(Object.values(constants).filter((value) => !Number.isFinite(value))).toEqual([]);
        for (const count of workgroups)
          expect(Number.isInteger(count) && count >= 1 && count <= maxWorkgroups).toBe(true);
      }
    }
  });

  test('writes every output, and reads every input', () => {
    for (const { calls } of lowered) {
      const [{ op } = { op: undefined }] = calls;
      if (op === undefined) continue;
      const bindings = calls.flatMap(({ dispatch }) =>
        dispatch.bindings.map((binding, i) => ({ ...binding, access: shaderOf(dispatch.shader).bindings[i] })),
      );
      const aliases = opDef<OpKind>(op.kind).aliases ?? [];
      op.outputs.forEach((_, index) => {
        const alias = aliases.find(({ output }) => output === index);
        const target = alias === undefined ? { kind: 'output', index } : { kind: 'input', index: alias.input };
        expect(bindings).toContainEqual({ ...target, access: 'read_write' });
      });
      op.inputs.forEach((_, index) => {
        expect(
          bindings.some((binding) => binding.kind === 'input' && binding.index === index),
          `${op.kind}, input ${index}`,
        ).toBe(true);
      });
    }
  });

  test('writes every workspace before it is read', () => {
    for (const { calls } of lowered) {
      const written = new Set<number>();
      for (const { op, dispatch } of calls) {
        dispatch.bindings.forEach(({ kind, index }, i) => {
          if (kind !== 'workspace') return;
          if (shaderOf(dispatch.shader).bindings[i] === 'read_write') written.add(index);
          else expect(written.has(index), `${op.kind}, ${dispatch.shader} reads workspace ${index}`).toBe(true);
        });
      }
    }
  });
});
