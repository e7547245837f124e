/** [batch, height, width, channels] → [batch, channels, height, width] */
export function toNchw(data, [batch, height, width, channels]) {
  const out = new Float32Array(data.length);
  let at = 0;
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (let pixel = 0; pixel < height * width; pixel++)
        out[at++] = data[(n * height * width + pixel) * channels + c];
  return out;
}

/** [height, width, in, out] → [out, in, height, width] */
export function toOihw(data, [height, width, inputs, outputs]) {
  const out = new Float32Array(data.length);
  let at = 0;
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < inputs; i++)
      for (let tap = 0; tap < height * width; tap++) out[at++] = data[(tap * inputs + i) * outputs + o];
  return out;
}
