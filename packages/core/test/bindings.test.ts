import { expect, test } from 'vitest';
import { BindingError, checkBindings, GraphBuilder, type Tensor, type TensorSpec } from '../src/index.ts';
import { createReferenceBackend } from '../src/reference/index.ts';
import { messageOf } from './support/error-message.ts';

const f32 = (...shape: number[]): TensorSpec => ({ shape, dtype: 'f32' });
const backend = createReferenceBackend();

function graph() {
  const build = new GraphBuilder('g');
  const x = build.input('x', f32(2, 3));
  build.output('y', build.op('relu', [x], {}));
  return build.build();
}

const complaint = (bindings: ReadonlyMap<string, Tensor>): string =>
  messageOf(BindingError, () => checkBindings(graph(), bindings));

test('a tensor for each name passes', () => {
  expect(
    complaint(
      new Map([
        ['x', backend.tensor(f32(2, 3))],
        ['y', backend.tensor(f32(2, 3))],
      ]),
    ),
  ).toBe('nothing was thrown');
});

test('a name without a tensor, results included', () => {
  expect(complaint(new Map([['x', backend.tensor(f32(2, 3))]]))).toBe(
    "cannot bind graph 'g': 'y' (f32[2,3]) has no tensor.",
  );
});

test('a shape or an element type that does not fit', () => {
  const bindings = new Map([
    ['x', backend.tensor(f32(3, 2))],
    ['y', backend.tensor({ shape: [2, 3], dtype: 'u8' })],
  ]);
  expect(complaint(bindings)).toBe(
    "cannot bind graph 'g': 'x' is f32[2,3], but its tensor is f32[3,2]; 'y' is f32[2,3], but its tensor is u8[2,3].",
  );
});

test('a tensor for two names', () => {
  const shared = backend.tensor(f32(2, 3));
  expect(
    complaint(
      new Map([
        ['x', shared],
        ['y', shared],
      ]),
    ),
  ).toBe("cannot bind graph 'g': 'x' and 'y' share one tensor.");
});

test('all problems at once, also as a list', () => {
  const bindings = new Map([
    ['x', backend.tensor(f32(1))],
    ['z', backend.tensor(f32(1))],
  ]);
  const problems = [
    "'x' is f32[2,3], but its tensor is f32[1]",
    "'y' (f32[2,3]) has no tensor",
    "the graph has no value named 'z'",
  ];
  let thrown: unknown;
  try {
    checkBindings(graph(), bindings);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({
    name: 'BindingError',
    code: 'BINDING',
    message: `cannot bind graph 'g': ${problems.join('; ')}.`,
    details: { problems },
  });
});
