import type { Padding2d, Window2d } from './attrs.ts';

/**
 * TensorFlow's SAME padding: total = max((ceil(size/stride) − 1)·stride + window − size, 0), the smaller half before.
 * At stride 2 on an even size a 3×3 window pads bottom and right only.
 *
 * @source https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2
 */
export function samePadding(
  size: readonly [height: number, width: number],
  window: readonly [height: number, width: number],
  strides: readonly [height: number, width: number],
): Padding2d {
  const total = (axis: 0 | 1): number =>
    Math.max((Math.ceil(size[axis] / strides[axis]) - 1) * strides[axis] + window[axis] - size[axis], 0);
  const vertical = total(0);
  const horizontal = total(1);
  const top = Math.floor(vertical / 2);
  const left = Math.floor(horizontal / 2);
  return { top, bottom: vertical - top, left, right: horizontal - left };
}

export const noPadding: Padding2d = { top: 0, bottom: 0, left: 0, right: 0 };

/** A window with equal strides along both axes. */
export function window2d(stride: number, padding: Padding2d = noPadding): Window2d {
  return { strides: [stride, stride], padding };
}
