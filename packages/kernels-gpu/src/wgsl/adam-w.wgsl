// One Adam step in the epsilon-hat form with decoupled weight decay, in place: parameter ← parameter − decay·parameter;
// m ← beta1·m + (1 − beta1)·gradient; v ← beta2·v + (1 − beta2)·gradient²; parameter ← parameter − stepSize·m/(√v + epsilon)
// Invocation: four elements. Traffic: each operand once.
struct Params {
  count4: u32, // vectors of four elements
  beta1: f32,
  beta2: f32,
  oneMinusBeta1: f32, // rounded from the exact difference
  oneMinusBeta2: f32,
  epsilon: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override guarded: bool; // whether nothing changes where norm is NaN or infinite; otherwise norm is any scalar

@group(0) @binding(0) var<storage, read_write> parameter: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(3) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(4) var<storage, read> stepSize: array<f32>;
@group(0) @binding(5) var<storage, read> decay: array<f32>;
@group(0) @binding(6) var<storage, read> norm: array<u32>; // the bits: compilers may assume that no float is NaN or infinite

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
  let g = gradient[i];
  let mNew = params.beta1 * m[i] + params.oneMinusBeta1 * g;
  let vNew = params.beta2 * v[i] + params.oneMinusBeta2 * (g * g);
  m[i] = mNew;
  v[i] = vNew;
  let decayed = parameter[i] - decay[0] * parameter[i];
  parameter[i] = decayed - (stepSize[0] * mNew) / (sqrt(vNew) + params.epsilon);
}
