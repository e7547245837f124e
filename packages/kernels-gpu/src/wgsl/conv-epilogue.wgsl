// Epilogue of a convolution whose channels four does not divide, from sums with padded channels:
// y = relu(sums + bias + residual), or (sums + residual)·[mask > 0].
//
// One invocation writes one element. Absent operands are bound to any buffer and not read. Traffic: each operand once.

struct Params {
  positions: u32,
  channels: u32,
  paddedChannels: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override hasBias: bool;
override hasResidual: bool;
override hasMask: bool;
override relu: bool;

@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read> residual: array<f32>;
@group(0) @binding(3) var<storage, read> mask: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  if (id >= params.positions * params.channels) {
    return;
  }
  let channel = id % params.channels;
  var value = sums[id / params.channels * params.paddedChannels + channel];
  if (hasBias) {
    value += bias[channel];
  }
  if (hasResidual) {
    value += residual[id];
  }
  if (hasMask) {
    value = select(0.0, value, mask[id] > 0.0);
  }
  if (relu) {
    value = max(value, 0.0);
  }
  y[id] = value;
}
