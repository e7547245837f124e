// Gradient of batch normalization, last of three: dx = a·(dy − b − (x − mean)·c) + residual, with the coefficients a, b, c and mean of
// batch-norm-grad-finish.
//
// An invocation takes 8 rows of one channel, or of a vector of channels. An absent residual is bound to any buffer and not
// read. Traffic: dy, x, residual and dx once.

alias Lanes = vec4f; // or f32 in the file not ending in -vec4

struct Params {
  rows: u32,
  channels: u32, // in units of Lanes
}
@group(1) @binding(0) var<uniform> params: Params;

override hasResidual: bool;

@group(0) @binding(0) var<storage, read> dy: array<Lanes>;
@group(0) @binding(1) var<storage, read> x: array<Lanes>;
@group(0) @binding(2) var<storage, read> coefficients: array<Lanes>;
@group(0) @binding(3) var<storage, read> residual: array<Lanes>;
@group(0) @binding(4) var<storage, read_write> dx: array<Lanes>;

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
  let a = coefficients[channel];
  let b = coefficients[params.channels + channel];
  let c = coefficients[2 * params.channels + channel];
  let mean = coefficients[3 * params.channels + channel];
  let last = min(first + 8, params.rows);
  for (var row = first; row < last; row++) {
    let at = row * params.channels + channel;
    var value = a * (dy[at] - b - (x[at] - mean) * c);
    if (hasResidual) {
      value += residual[at];
    }
    dx[at] = value;
  }
}
