// Gradient of a convolution with respect to its filter, second half: dFilter[tap][c][k] = Σ partials[chunk][tap][c][k].
//
// Chunks are summed in order. One invocation sums four neighbouring k. Traffic: partials once, dFilter once.

struct Params {
  chunks: u32,
  taps: u32,
  inChannels: u32,
  inPadded: u32, // channels of partials
  outChannels: u32,
  outVectors: u32, // vectors of channels of partials
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dFilter: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  let vectors = (params.outChannels + 3) / 4;
  if (id >= params.taps * params.inChannels * vectors) {
    return;
  }
  let vector = id % vectors;
  let c = id / vectors % params.inChannels;
  let tap = id / (vectors * params.inChannels);
  var source = (tap * params.inPadded + c) * params.outVectors + vector;
  var sum = partials[source];
  for (var chunk = 1u; chunk < params.chunks; chunk++) {
    source += params.taps * params.inPadded * params.outVectors;
    sum += partials[source];
  }
  let k = vector * 4;
  let at = (tap * params.inChannels + c) * params.outChannels + k;
  dFilter[at] = sum.x;
  if (k + 1 < params.outChannels) {
    dFilter[at + 1] = sum.y;
  }
  if (k + 2 < params.outChannels) {
    dFilter[at + 2] = sum.z;
  }
  if (k + 3 < params.outChannels) {
    dFilter[at + 3] = sum.w;
  }
}
