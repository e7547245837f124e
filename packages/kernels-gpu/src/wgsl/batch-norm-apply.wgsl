// Batch normalization with given statistics: y = relu((x − mean)·gamma·inverseStd + beta + residual).
//
// `deviation` holds 1/√(variance + epsilon), or with `fromVariance` the variance. An invocation takes 8 rows of one channel, or of
// a vector of channels. An absent residual is bound to any buffer and not read. Traffic: x, residual and y once.

alias Lanes = f32; // or vec4f in the file ending in -vec4

struct Params {
  rows: u32,
  channels: u32, // in units of Lanes
  epsilon: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override fromVariance: bool;
override hasResidual: bool;
override relu: bool;

@group(0) @binding(0) var<storage, read> x: array<Lanes>;
@group(0) @binding(1) var<storage, read> gamma: array<Lanes>;
@group(0) @binding(2) var<storage, read> beta: array<Lanes>;
@group(0) @binding(3) var<storage, read> mean: array<Lanes>;
@group(0) @binding(4) var<storage, read> deviation: array<Lanes>;
@group(0) @binding(5) var<storage, read> residual: array<Lanes>;
@group(0) @binding(6) var<storage, read_write> y: array<Lanes>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  let channel = id % params.channels;
  let first = id / params.channels * 8;
  if (first >= params.rows) {
    return;
  }
  var scale = deviation[channel];
  if (fromVariance) {
    scale = inverseSqrt(scale + params.epsilon);
  }
  scale *= gamma[channel];
  let center = mean[channel];
  let shift = beta[channel];
  let last = min(first + 8, params.rows);
  for (var row = first; row < last; row++) {
    let at = row * params.channels + channel;
    var value = (x[at] - center) * scale + shift;
    if (hasResidual) {
      value += residual[at];
    }
    if (relu) {
      value = max(value, Lanes());
    }
    y[at] = value;
  }
}
