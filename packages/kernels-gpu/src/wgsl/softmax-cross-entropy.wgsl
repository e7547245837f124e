// losses = Σ smoothed·(log Σ e^(logits − max) − (logits − max)) along each row of [batch, classes],
// smoothed = labelScale·labels + labelOffset.
// Invocation: one row. Traffic: logits three times, labels once.
struct Params {
  batch: u32,
  classes: u32,
  labelScale: f32, // 1 − labelSmoothing
  labelOffset: f32, // labelSmoothing/classes
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<f32>;
@group(0) @binding(2) var<storage, read_write> losses: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.batch) {
    return;
  }
  let first = id.x * params.classes;
  var largest = logits[first];
  for (var k = 1u; k < params.classes; k++) {
    largest = max(largest, logits[first + k]);
  }
  var sum = 0f;
  for (var k = 0u; k < params.classes; k++) {
    sum += exp(logits[first + k] - largest);
  }
  let logSum = log(sum);
  var loss = 0f;
  for (var k = 0u; k < params.classes; k++) {
    let label = params.labelScale * labels[first + k] + params.labelOffset;
    loss += label * (logSum - (logits[first + k] - largest));
  }
  losses[id.x] = loss;
}
