// Pads channels to whole vectors with zeros: padded[position][vectors] from x[position][channels].
//
// For the convolutions of images whose channels four does not divide, such as a first layer's. One invocation writes one
// vector. Traffic: x once, padded once.

struct Params {
  positions: u32,
  channels: u32,
  vectors: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> padded: array<vec4f>;

fn element(position: u32, channel: u32) -> f32 {
  let inside = channel < params.channels;
  return select(0.0, x[select(0u, position * params.channels + channel, inside)], inside);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  if (id >= params.positions * params.vectors) {
    return;
  }
  let position = id / params.vectors;
  let channel = id % params.vectors * 4;
  padded[id] = vec4f(
    element(position, channel),
    element(position, channel + 1),
    element(position, channel + 2),
    element(position, channel + 3),
  );
}
