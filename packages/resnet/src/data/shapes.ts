/**
 * The ten classes of the synthetic data set. Each is a function of a point (x, y) in the shape's own frame, where the shape
 * fills about the unit disc, and gives a signed distance: negative inside, in the frame's units.
 */
export interface Shape {
  readonly name: string;
  readonly distance: (x: number, y: number) => number;
}

const disc = (x: number, y: number, radius: number): number => Math.sqrt(x * x + y * y) - radius;
const box = (x: number, y: number, halfWidth: number, halfHeight: number): number =>
  Math.max(Math.abs(x) - halfWidth, Math.abs(y) - halfHeight);
/** Signed distance to the nearest of parallel stripes, negative on every other one. */
const stripes = (x: number, period: number): number =>
  (Math.abs((x / period - Math.floor(x / period)) * 2 - 1) - 0.5) * (period / 2);

const star = (x: number, y: number): number => {
  const radius = Math.sqrt(x * x + y * y);
  const points = 5;
  return (radius - 0.7 - 0.3 * Math.cos(points * Math.atan2(y, x))) * 0.6;
};

export const shapes: readonly Shape[] = [
  { name: 'disc', distance: (x, y) => disc(x, y, 0.95) },
  { name: 'ring', distance: (x, y) => Math.abs(disc(x, y, 0.75)) - 0.2 },
  { name: 'square', distance: (x, y) => box(x, y, 0.8, 0.8) },
  { name: 'triangle', distance: (x, y) => Math.max(y, -0.5 * y + 0.866 * x, -0.5 * y - 0.866 * x) - 0.52 },
  { name: 'cross', distance: (x, y) => Math.min(box(x, y, 0.95, 0.27), box(x, y, 0.27, 0.95)) },
  { name: 'star', distance: star },
  { name: 'stripes', distance: (x, y) => Math.max(disc(x, y, 1), stripes(x, 0.66)) },
  {
    name: 'checkerboard',
    distance: (x, y) => {
      const a = stripes(x, 0.8);
      const b = stripes(y, 0.8);
      return Math.max(box(x, y, 0.85, 0.85), Math.min(Math.max(a, -b), Math.max(-a, b)));
    },
  },
  { name: 'crescent', distance: (x, y) => Math.max(disc(x, y, 1), 0.8 - Math.sqrt((x - 0.5) ** 2 + y * y)) },
  { name: 'pair', distance: (x, y) => disc(Math.abs(x) - 0.58, y, 0.38) },
];
