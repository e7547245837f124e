// Gradient of batch normalization, second of three: sums the chunks of batch-norm-grad-sums in order, writes dGamma and dBeta, and
// what batch-norm-grad-apply reads: coefficients = [gamma·inverseStd, dBeta/rows, dGamma·inverseStd/rows, mean], each [channels].
// One invocation takes one channel. Traffic: partials once.

struct Params {
  rows: u32,
  channels: u32,
  chunks: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> gamma: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> inverseStd: array<f32>;
@group(0) @binding(4) var<storage, read_write> dGamma: array<f32>;
@group(0) @binding(5) var<storage, read_write> dBeta: array<f32>;
@group(0) @binding(6) var<storage, read_write> coefficients: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let channel = (group.y * groups.x + group.x) * 64 + lane;
  if (channel >= params.channels) {
    return;
  }
  var sum = 0.0;
  var products = 0.0;
  for (var chunk = 0u; chunk < params.chunks; chunk++) {
    sum += partials[2 * chunk * params.channels + channel];
    products += partials[(2 * chunk + 1) * params.channels + channel];
  }
  let inverse = inverseStd[channel];
  products *= inverse;
  dBeta[channel] = sum;
  dGamma[channel] = products;
  coefficients[channel] = gamma[channel] * inverse;
  coefficients[params.channels + channel] = sum / f32(params.rows);
  coefficients[2 * params.channels + channel] = products * inverse / f32(params.rows);
  coefficients[3 * params.channels + channel] = mean[channel];
}
