// One step of gradient descent with momentum, in place: m ← momentum·m − learningRate·gradient;
// parameter ← parameter + m, or with nesterov parameter ← parameter + momentum·m − learningRate·gradient
// Invocation: four elements. Traffic: each operand once.
struct Params {
  count4: u32, // vectors of four elements
  momentum: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override guarded: bool; // whether nothing changes where norm is NaN or infinite; otherwise norm is any scalar
override nesterov: bool;

@group(0) @binding(0) var<storage, read_write> parameter: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(3) var<storage, read> learningRate: array<f32>;
@group(0) @binding(4) var<storage, read> norm: array<u32>; // the bits: compilers may assume that no float is NaN or infinite

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * 256u + lane;
  if (i >= params.count4 || (guarded && (norm[0] & 0x7f800000u) == 0x7f800000u)) {
    return;
  }
  let step = learningRate[0] * gradient[i];
  let mNew = params.momentum * m[i] - step;
  m[i] = mNew;
  parameter[i] += select(mNew, params.momentum * mNew - step, nesterov);
}
