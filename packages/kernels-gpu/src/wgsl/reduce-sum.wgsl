// y[group] = scale·Σ of every groups-th block of x, or of its squares; one more pass over y adds the groups up.
// The tree is fixed: invocation `lane` takes elements lane, lane + 256·groups, … in order, then halves are added pairwise.
struct Params {
  count: u32,
  groups: u32,
  scale: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override squares: bool;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var sum = 0f;
  for (var i = group.x * 256u + lane; i < params.count; i += params.groups * 256u) {
    let value = x[i];
    sum += select(value, value * value, squares);
  }
  sums[lane] = sum;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      sums[lane] += sums[lane + half];
    }
  }
  if (lane == 0u) {
    y[group.x] = params.scale * sums[0];
  }
}
