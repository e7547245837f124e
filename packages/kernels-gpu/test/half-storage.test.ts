import { describe, expect, test } from 'vitest';
import { sources, type ShaderName } from '../src/generated/sources.ts';
import { halfStorage } from '../src/half-storage.ts';
import { shaderOf } from '../src/shader.ts';

const kernel = (body: string, element = 'f32'): string =>
  [
    `@group(0) @binding(0) var<storage, read> x: array<${element}>; // x of a kernel`,
    `@group(0) @binding(1) var<storage, read_write> y: array<${element}>;`,
    '@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {',
    `  ${body}`,
    '}',
  ].join('\n');

/** The body of a kernel, rewritten. */
const bodyOf = (source: string): string => (source.split('\n')[3] ?? '').trim();
const rewritten = (body: string, bindings: readonly number[] = [0, 1], element?: string): string =>
  bodyOf(halfStorage(kernel(body, element), bindings));

describe('operands held as f16', () => {
  test('are declared so, on the lines of the file', () => {
    const lines = halfStorage(kernel('y[id.x] = x[id.x];'), [0]).split('\n');
    expect(lines[0]?.trim()).toBe('enable f16; @group(0) @binding(0) var<storage, read> x: array<f16>;');
    expect(lines[1]).toContain('y: array<f32>;');
  });

  test.each([
    ['y[id.x] = x[id.x] + 1;', 'y[id.x] = toHalf(f32(x[id.x]) + 1);'],
    ['y[i[2 * j]] = x[k[0]];', 'y[i[2 * j]] = toHalf(f32(x[k[0]]));'],
    ['let v = y[id.x] == x[0];', 'let v = f32(y[id.x]) == f32(x[0]);'],
    ['let v = y[id.x] <= x[0] && x[1] >= 0;', 'let v = f32(y[id.x]) <= f32(x[0]) && f32(x[1]) >= 0;'],
    ['y[u32(x[1])] = id.x + f(x[2], y[3]);', 'y[u32(f32(x[1]))] = toHalf(id.x + f(f32(x[2]), f32(y[3])));'],
    ['if (x[0] > 0) { y[0] = 1; }', 'if (f32(x[0]) > 0) { y[0] = toHalf(1); }'],
  ])('%s', (body, expected) => {
    expect(rewritten(body)).toBe(expected);
  });

  test('are vectors where the kernel has vectors, through an alias too', () => {
    expect(rewritten('y[0] = x[0];', [0, 1], 'vec4f')).toBe('y[0] = toHalves(vec4f(x[0]));');
    const aliased = `alias Lanes = vec4f; ${kernel('y[0] = x[0];', 'Lanes')}`;
    expect(halfStorage(aliased, [1])).toContain('y: array<vec4h>;');
    expect(bodyOf(halfStorage(aliased, [1]))).toBe('y[0] = toHalves(x[0]);');
  });

  test('keep their bits where the kernel has the bits of f32', () => {
    expect(rewritten('y[0] = x[0];', [0, 1], 'u32')).toBe('y[0] = toHalf(bitcast<f32>(bitcast<u32>(f32(x[0]))));');
  });

  test('leave other operands and comments alone', () => {
    expect(rewritten('y[0] = x[0]; // x[1]', [1])).toBe('y[0] = toHalf(x[0]);');
    expect(rewritten('y[0] = v.x + x[0];', [0])).toBe('y[0] = v.x + f32(x[0]);');
  });

  test.each([
    ['y[0] += x[0];'],
    ['y[0]++;'],
    ['y[0].x = x[0];'],
    ['let p = &y[0];'],
    ['let p = &y;'],
    ['let n = arrayLength(&x);'],
  ])('are refused with the line where a kernel says %s', (body) => {
    expect(() => rewritten(body)).toThrow(`an operand cannot be held as f16: '${body}'. Kernels must read name[index]`);
  });

  test('are refused where they are of another type or missing', () => {
    expect(() => rewritten('y[0] = x[0];', [0], 'i32')).toThrow('binding 0 is no array of f32, vec4f or u32');
    expect(() => rewritten('y[0] = x[0];', [2])).toThrow('binding 2 is no array');
  });

  test('can be any of every kernel, but for what is updated in place, indices, and a workspace', () => {
    const refused = (Object.keys(sources) as ShaderName[]).flatMap((name) =>
      shaderOf(name).bindings.flatMap((_, binding) => {
        try {
          halfStorage(sources[name], [binding]);
          return [];
        } catch {
          return [`${name} ${binding}`];
        }
      }),
    );
    expect(refused).toEqual([
      'adam 0',
      'assign-add 0',
      'gather-images 3',
      'gather-images-still 3',
      'sgd-momentum 0',
      'winograd-output 0',
    ]);
  });
});
