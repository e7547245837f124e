// dLogits = dLoss·(softmax(logits)·Σ smoothed − smoothed) along each row of [batch, classes],
// smoothed = labelScale·labels + labelOffset.
// Invocation: one row. Traffic: logits three times, labels twice, dLogits once.
struct Params {
  batch: u32,
  classes: u32,
  labelScale: f32, // 1 − labelSmoothing
  labelOffset: f32, // labelSmoothing/classes
  labelSmoothing: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> dLosses: array<f32>;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<f32>;
@group(0) @binding(3) var<storage, read_write> dLogits: array<f32>;

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
  var labelSum = 0f;
  for (var k = 0u; k < params.classes; k++) {
    sum += exp(logits[first + k] - largest);
    labelSum += labels[first + k];
  }
  // Equal offsets, summed one by one, would all round the same way.
  let weight = params.labelScale * labelSum + params.labelSmoothing;
  for (var k = 0u; k < params.classes; k++) {
    let probability = exp(logits[first + k] - largest) / sum;
    let label = params.labelScale * labels[first + k] + params.labelOffset;
    dLogits[first + k] = dLosses[id.x] * (probability * weight - label);
  }
}
