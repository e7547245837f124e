// Batch statistics, second half: merges the chunks of batch-norm-statistics in order, writes mean and 1/√(variance + epsilon), and
// moves the moving statistics towards the batch's. One invocation takes one channel. Traffic: partials once.

struct Params {
  rows: u32,
  channels: u32,
  chunks: u32,
  epsilon: f32,
  momentum: f32,
  oneMinusMomentum: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override unbiased: bool;

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> batchMean: array<f32>;
@group(0) @binding(2) var<storage, read_write> inverseStd: array<f32>;
@group(0) @binding(3) var<storage, read_write> movingMean: array<f32>;
@group(0) @binding(4) var<storage, read_write> movingVariance: array<f32>;

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
  let rowsPerChunk = (params.rows + params.chunks - 1) / params.chunks;
  var mean = 0.0;
  var squares = 0.0;
  var count = 0.0;
  for (var chunk = 0u; chunk < params.chunks; chunk++) {
    let first = min(chunk * rowsPerChunk, params.rows);
    let size = f32(min(first + rowsPerChunk, params.rows) - first);
    let total = count + size;
    if (size > 0.0) {
      let delta = partials[2 * chunk * params.channels + channel] - mean;
      mean += delta * (size / total);
      squares += partials[(2 * chunk + 1) * params.channels + channel] + delta * delta * (count * size / total);
      count = total;
    }
  }
  let variance = squares / count;
  batchMean[channel] = mean;
  inverseStd[channel] = inverseSqrt(variance + params.epsilon);
  let moving = select(variance, squares / max(count - 1.0, 1.0), unbiased);
  movingMean[channel] = movingMean[channel] * params.momentum + mean * params.oneMinusMomentum;
  movingVariance[channel] = movingVariance[channel] * params.momentum + moving * params.oneMinusMomentum;
}
