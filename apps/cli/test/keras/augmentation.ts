import { GraphBuilder, transformLength, writeTransform, type Backend, type Tensor } from '@skiplane/core';
import { ImageShifter, type InterpolationOrder } from '@skiplane/resnet';
import { readJson } from './fixtures.ts';
import { imageBytes, images } from './formula.ts';

/** `tx` shifts columns and `ty` rows, though Keras draws `tx` from height_shift_range: it swaps the axes later. */
interface Case {
  readonly image: string;
  readonly interpolationOrder: InterpolationOrder;
  readonly tx: number;
  readonly ty: number;
  readonly flip_horizontal: boolean;
  readonly flip_vertical: boolean;
}

const { cases } = readJson('augmentation.json') as { readonly cases: readonly Case[] };
const shape = [1, 8, 8, 3] as const;
const size = 8 * 8 * 3;

export const casesOf = (order: InterpolationOrder): readonly Case[] =>
  cases.filter(({ interpolationOrder }) => interpolationOrder === order);

/** The image of a case turned upside down where Keras did so, which the example never does and no recipe can. */
function finished({ flip_vertical }: Case, pixels: Float32Array): Float32Array {
  if (!flip_vertical) return pixels;
  const pitch = 8 * 3;
  return pixels.map((_, i) => pixels[(7 - Math.floor(i / pitch)) * pitch + (i % pitch)] as number);
}

/** The images of an order's cases as the host shifts and flips them. */
export function onHost(order: InterpolationOrder): readonly Float32Array[] {
  const source = images('augmentation', [...shape]);
  const shifter = new ImageShifter({ height: 8, width: 8, channels: 3 });
  return casesOf(order).map((one) => {
    const out = new Float32Array(size);
    shifter.shift(source, one.ty, one.tx, one.flip_horizontal, order, out, 0);
    return finished(one, out);
  });
}

const f32 = (...sizes: number[]) => ({ shape: sizes, dtype: 'f32' }) as const;

/** The same as a device gathers them out of a data set of one image. */
export async function onDevice(backend: Backend, order: InterpolationOrder): Promise<readonly Float32Array[]> {
  const wanted = casesOf(order);
  const transforms = new Float32Array(wanted.length * transformLength);
  for (const [n, { tx, ty, flip_horizontal }] of wanted.entries())
    writeTransform(transforms, n, { dy: ty, dx: tx, flip: flip_horizontal });
  const values = Float32Array.from({ length: 256 }, (_, byte) => byte / 255 - 0.5);
  const tensors = new Map<string, Tensor>([
    ['images', backend.tensor({ shape, dtype: 'u8' }, imageBytes('augmentation', [...shape]))],
    ['values', backend.tensor(f32(256), values)],
    ['mean', backend.tensor(f32(8, 8, 3))],
    ['indices', backend.tensor({ shape: [wanted.length], dtype: 'i32' }, new Int32Array(wanted.length))],
    ['transforms', backend.tensor(f32(wanted.length, transformLength), transforms)],
  ]);
  const build = new GraphBuilder('augmentation');
  const operands = [...tensors].map(([name, spec]) => build.input(name, spec));
  build.output('x', build.op('gatherImages', operands, { transformed: true, interpolationOrder: order }));
  const x = backend.tensor(f32(wanted.length, 8, 8, 3));
  tensors.set('x', x);
  using program = await backend.compile(build.build(), tensors);
  await program.run();
  const pixels = (await x.read()) as Float32Array;
  for (const tensor of tensors.values()) tensor.dispose();
  return wanted.map((one, n) => finished(one, pixels.slice(n * size, (n + 1) * size)));
}
