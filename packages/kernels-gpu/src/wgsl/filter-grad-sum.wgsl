// Gradient of a convolution with respect to its filter, second half: dFilter[tap][c][k] = Σ partials[chunk][tap][c][k].
//
// Chunks are summed in order. One invocation sums four neighbouring k. Traffic: partials once, dFilter once.

override chunks: u32;
override taps: u32;
override inChannels: u32;
override inPadded: u32; // channels of partials
override outChannels: u32;
override outVectors: u32; // vectors of channels of partials

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dFilter: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  let vectors = (outChannels + 3) / 4;
  if (id >= taps * inChannels * vectors) {
    return;
  }
  let vector = id % vectors;
  let c = id / vectors % inChannels;
  let tap = id / (vectors * inChannels);
  var source = (tap * inPadded + c) * outVectors + vector;
  var sum = partials[source];
  for (var chunk = 1u; chunk < chunks; chunk++) {
    source += taps * inPadded * outVectors;
    sum += partials[source];
  }
  let k = vector * 4;
  let at = (tap * inChannels + c) * outChannels + k;
  dFilter[at] = sum.x;
  if (k + 1 < outChannels) {
    dFilter[at + 1] = sum.y;
  }
  if (k + 2 < outChannels) {
    dFilter[at + 2] = sum.z;
  }
  if (k + 3 < outChannels) {
    dFilter[at + 3] = sum.w;
  }
}
