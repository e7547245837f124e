// x = images of a data set of bytes, by index, as they are: values[byte] − mean.
// Invocation: one element of x. Traffic: a byte and a mean an element, x once.
struct Params {
  count: u32, // elements of x
  images: i32,
  size: u32, // elements of an image
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> bytes: array<u32>;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> indices: array<i32>;
@group(0) @binding(4) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) {
    return;
  }
  let offset = i % params.size;
  let at = u32(clamp(indices[i / params.size], 0, params.images - 1)) * params.size + offset;
  let byte = (bytes[at >> 2u] >> ((at & 3u) * 8u)) & 255u;
  x[i] = values[byte] - mean[offset];
}
