import type { SizedWindow2d } from '../../ops/attrs.ts';
import { nhwc, rank4 } from '../../ops/infer.ts';
import type { Operand, ReferenceKernel } from '../kernel.ts';

/** Offsets in x of the elements that one window sees, in row order, padding left out. */
type Visit = (yAt: number, xOffsets: readonly number[]) => void;

function forEachWindow(x: Operand, y: Operand, { size, strides, padding }: SizedWindow2d, visit: Visit): void {
  const [batch, height, width, channels] = rank4(x, 'x', nhwc);
  const [, outHeight, outWidth] = rank4(y, 'y', nhwc);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < outHeight; i++) {
      const top = i * strides[0] - padding.top;
      for (let j = 0; j < outWidth; j++) {
        const left = j * strides[1] - padding.left;
        for (let c = 0; c < channels; c++) {
          const offsets: number[] = [];
          for (let h = Math.max(top, 0); h < Math.min(top + size[0], height); h++) {
            for (let w = Math.max(left, 0); w < Math.min(left + size[1], width); w++) {
              offsets.push(((n * height + h) * width + w) * channels + c);
            }
          }
          visit(((n * outHeight + i) * outWidth + j) * channels + c, offsets);
        }
      }
    }
  }
}

export const maxPool2d: ReferenceKernel<'maxPool2d'> = (inputs, outputs, { window }) => {
  const x = inputs.get('x');
  const y = outputs.get('y');
  forEachWindow(x, y, window, (yAt, xOffsets) => {
    y.values[yAt] = Math.max(...xOffsets.map((at) => x.values[at] as number));
  });
};

export const maxPool2dGrad: ReferenceKernel<'maxPool2dGrad'> = (inputs, outputs, { window }) => {
  const x = inputs.get('x');
  const y = inputs.get('y');
  const dy = inputs.values('dy');
  const dx = outputs.values('dx').fill(0);
  forEachWindow(x, y, window, (yAt, xOffsets) => {
    const winner = xOffsets.find((at) => x.values[at] === y.values[yAt]);
    if (winner !== undefined) dx[winner] = (dx[winner] as number) + (dy[yAt] as number);
  });
};

export const averagePool2d: ReferenceKernel<'averagePool2d'> = (inputs, outputs, { window }) => {
  const x = inputs.get('x');
  const y = outputs.get('y');
  forEachWindow(x, y, window, (yAt, xOffsets) => {
    let sum = 0;
    for (const at of xOffsets) sum += x.values[at] as number;
    y.values[yAt] = sum / xOffsets.length;
  });
};

export const averagePool2dGrad: ReferenceKernel<'averagePool2dGrad'> = (inputs, outputs, { window }) => {
  const dy = inputs.get('dy');
  const dx = outputs.get('dx');
  dx.values.fill(0);
  forEachWindow(dx, dy, window, (yAt, xOffsets) => {
    const share = (dy.values[yAt] as number) / xOffsets.length;
    for (const at of xOffsets) dx.values[at] = (dx.values[at] as number) + share;
  });
};
