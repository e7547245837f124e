// Pads channels to whole vectors with zeros: padded[position][vectors] from x[position][channels].
//
// For the convolutions of images whose channels four does not divide, such as a first layer's. One invocation writes one
// vector. Traffic: x once, padded once.

override positions: u32;
override channels: u32;
override vectors: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> padded: array<vec4f>;

fn element(position: u32, channel: u32) -> f32 {
  let inside = channel < channels;
  return select(0.0, x[select(0u, position * channels + channel, inside)], inside);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  if (id >= positions * vectors) {
    return;
  }
  let position = id / vectors;
  let channel = id % vectors * 4;
  padded[id] = vec4f(
    element(position, channel),
    element(position, channel + 1),
    element(position, channel + 2),
    element(position, channel + 3),
  );
}
