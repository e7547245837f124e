import { ValueError } from './errors.ts';
import { randomStream, uniforms } from './random.ts';
import { elementCount, formatShape } from './tensor.ts';

/** Standard deviation of a standard normal that is truncated at ±2. */
const truncatedDeviation = 0.87962566103423978;

/** Φ(−2), the part of a standard normal below −2. */
const lowerTail = 0.02275013194817921;

/**
 * Keras's he_normal: a normal of deviation σ = √(2/fanIn)/0.8796…, truncated at ±2σ, so that the variance is 2/fanIn exactly.
 * The numbers depend on seed and name only, so adding a parameter to a model leaves the others as they are.
 *
 * Keras truncates by redrawing; here each number is the inverse CDF of a uniform on (Φ(−2), Φ(2)), which is the same
 * distribution from one draw an element.
 *
 * @shape shape  [height, width, inChannels, outChannels], fanIn = height·width·inChannels; or [in, out], fanIn = in
 * @param seed   an integer from 0 to 2^53 − 1
 * @param name   the parameter's name
 * @throws {ValueError} when the shape is neither
 * @source He et al. 2015, "Delving deep into rectifiers"; Keras 3 VarianceScaling
 */
export function heNormal(shape: readonly number[], seed: number, name: string): Float32Array {
  const deviation = Math.sqrt(2 / fanIn(shape, name)) / truncatedDeviation;
  const draws = uniforms(randomStream(seed, name), elementCount(shape));
  return Float32Array.from(draws, (u) => deviation * centralQuantile(lowerTail + u * (1 - 2 * lowerTail)));
}

function fanIn(shape: readonly number[], name: string): number {
  if (shape.length !== 4 && shape.length !== 2) {
    throw new ValueError(
      `he_normal of '${name}': the shape must be [height,width,inChannels,outChannels] or [in,out], but is ${formatShape(shape)}.`,
      { shape, name },
    );
  }
  return elementCount(shape.slice(0, -1));
}

type Polynomial = readonly number[];

/** Numerator and denominator of each range, highest power first. */
const centre: readonly [Polynomial, Polynomial] = [
  [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513,
    133.14166789178438, 3.3871328727963665,
  ],
  [
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579,
    42.31333070160091, 1,
  ],
];
const shoulder: readonly [Polynomial, Polynomial] = [
  [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
    5.769497221460691, 4.630337846156546, 1.4234371107496835,
  ],
  [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
    1.6763848301838038, 2.053191626637759, 1,
  ],
];
const tail: readonly [Polynomial, Polynomial] = [
  [
    2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124, 0.29656057182850487,
    1.7848265399172913, 5.463784911164114, 6.657904643501103,
  ],
  [
    2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133, 0.014875361290850615,
    0.1369298809227358, 0.599832206555888, 1,
  ],
];

/**
 * Φ⁻¹, the x below which a standard normal falls with probability p, for p in (0, 1); relative error about 1e-16.
 *
 * @source Wichura 1988, algorithm AS 241 (PPND16)
 */
export function normalQuantile(p: number): number {
  const r = distanceOf(p);
  return r <= 5 ? centralQuantile(p) : Math.sign(p - 0.5) * ratio(tail, r - 5);
}

/** The same for p from e⁻²⁵ to 1 − e⁻²⁵: who needs no more loads no tail. */
function centralQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(centre, 0.180625 - q * q);
  return Math.sign(q) * ratio(shoulder, distanceOf(p) - 1.6);
}

/** From either end. */
const distanceOf = (p: number): number => Math.sqrt(-Math.log(Math.min(p, 1 - p)));

function ratio([numerator, denominator]: readonly [Polynomial, Polynomial], r: number): number {
  const at = (polynomial: Polynomial): number => polynomial.reduce((sum, coefficient) => sum * r + coefficient, 0);
  return at(numerator) / at(denominator);
}
