/** A layer's output for one image: [height, width, channels]. */
export interface FeatureMap {
  readonly layer: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float32Array;
}

/**
 * Where a layer sees what speaks for a class: relu(Σ_c α_c·A_c), α_c the mean of the score's gradient over channel c.
 *
 * @param map       A, the layer's output
 * @param gradient  of the score with respect to it
 * @shape returns   [height, width], in units of the score
 * @source Selvaraju et al. 2017, §3
 */
export function gradCam({ height, width, channels, data }: FeatureMap, gradient: Float32Array): Float32Array {
  const positions = height * width;
  const alpha = new Float64Array(channels);
  gradient.forEach((value, i) => (alpha[i % channels] = (alpha[i % channels] as number) + value / positions));
  return Float32Array.from({ length: positions }, (_, position) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += (alpha[c] as number) * (data[position * channels + c] as number);
    return Math.max(0, sum);
  });
}
