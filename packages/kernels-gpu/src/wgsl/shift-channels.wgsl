// padChannels and sliceChannels: y[position][c] = x[position][c + shift] where x has that channel, else 0.
// Invocation: one element of y. Traffic: x at most once, y once.
struct Params {
  count: u32, // elements of y
  inChannels: i32,
  outChannels: u32,
  shift: i32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= params.count) {
    return;
  }
  let c = i32(at % params.outChannels) + params.shift;
  let inside = c >= 0 && c < params.inChannels;
  let source = at / params.outChannels * u32(params.inChannels) + u32(c);
  y[at] = select(0.0, x[select(0u, source, inside)], inside);
}
