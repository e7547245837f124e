// y = scale·x + offset
// Invocation: four elements. Traffic: each operand once.
struct Params {
  count4: u32, // vectors of four elements
  scale: f32,
  offset: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * 256u + lane;
  if (i >= params.count4) {
    return;
  }
  y[i] = params.scale * x[i] + params.offset;
}
