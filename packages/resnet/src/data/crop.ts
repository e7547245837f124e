import type { Transform } from './augmentation.ts';
import type { ImageShape } from './shift.ts';

/**
 * Moves one image by whole pixels, with zeros outside its edge, and flips it: a crop of the image in a frame of zeros.
 * out[r, c] = in[r + dy, c + dx] or 0, then out[r, c] ← out[r, width − 1 − c] when flipped, and last of all a square of
 * `cutout` pixels around (cutY, cutX) becomes 0, as far as it lies inside.
 *
 * @param source  one image; `out` receives the result from element `to` on
 * @source He et al. 2015, §4.2; DeVries & Taylor 2017 for the square
 */
export function cropImage(
  source: Float32Array,
  shape: ImageShape,
  transform: Readonly<Transform>,
  cutout: number,
  out: Float32Array,
  to: number,
): void {
  const { height, width, channels } = shape;
  const { dy, dx, flip } = transform;
  for (let r = 0; r < height; r++) {
    const row = r + dy;
    for (let c = 0; c < width; c++) {
      const column = (flip ? width - 1 - c : c) + dx;
      const at = to + (r * width + c) * channels;
      const inside = row >= 0 && row < height && column >= 0 && column < width;
      const from = (row * width + column) * channels;
      for (let k = 0; k < channels; k++) out[at + k] = inside ? (source[from + k] as number) : 0;
    }
  }
  if (cutout > 0) cutSquare(shape, transform, cutout, out, to);
}

function cutSquare(
  { height, width, channels }: ImageShape,
  { cutY, cutX }: Readonly<Transform>,
  size: number,
  out: Float32Array,
  to: number,
): void {
  const [top, left] = [cutY - (size >> 1), cutX - (size >> 1)];
  const [first, end] = [Math.max(left, 0), Math.min(left + size, width)];
  for (let r = Math.max(top, 0); r < Math.min(top + size, height); r++) {
    out.fill(0, to + (r * width + first) * channels, to + (r * width + end) * channels);
  }
}
