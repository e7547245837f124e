// correct = 1 where the label of largest weight is among the k largest logits of its row of [batch, classes], else 0.
// Floats are compared as integers, since WGSL promises nothing of NaN and may flush subnormals.
// Invocation: one row. Traffic: logits and labels twice.
struct Params {
  batch: u32,
  classes: u32,
  k: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> logits: array<u32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> correct: array<f32>;

// Integers in the order of the floats of these bits; both zeros are 0.
fn rank(bits: u32) -> i32 {
  let magnitude = i32(bits & 0x7fffffffu);
  return select(magnitude, -magnitude, (bits >> 31u) == 1u);
}

fn isNan(bits: u32) -> bool {
  return (bits & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.batch) {
    return;
  }
  let first = id.x * params.classes;
  var truth = 0u;
  for (var j = 1u; j < params.classes; j++) {
    if (rank(labels[first + j]) > rank(labels[first + truth])) {
      truth = j;
    }
  }
  let own = rank(logits[first + truth]);
  var ahead = 0u;
  var comparable = true;
  for (var j = 0u; j < params.classes; j++) {
    let other = rank(logits[first + j]);
    comparable = comparable && !isNan(logits[first + j]);
    ahead += select(0u, 1u, other > own || (other == own && j < truth));
  }
  correct[id.x] = select(0f, 1f, comparable && ahead < params.k);
}
