// dLogits = dLoss·(softmax(logits)·Σ smoothed − smoothed) along each row of [batch, classes],
// smoothed = labelScale·labels + labelOffset.
// Invocation: one row. Traffic: logits three times, labels twice, dLogits once.
override batch: u32;
override classes: u32;
override labelScale: f32; // 1 − labelSmoothing
override labelOffset: f32; // labelSmoothing/classes
override labelSmoothing: f32;

@group(0) @binding(0) var<storage, read> dLosses: array<f32>;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<f32>;
@group(0) @binding(3) var<storage, read_write> dLogits: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= batch) {
    return;
  }
  let first = id.x * classes;
  var largest = logits[first];
  for (var k = 1u; k < classes; k++) {
    largest = max(largest, logits[first + k]);
  }
  var sum = 0f;
  var labelSum = 0f;
  for (var k = 0u; k < classes; k++) {
    sum += exp(logits[first + k] - largest);
    labelSum += labels[first + k];
  }
  // Equal offsets, summed one by one, would all round the same way.
  let weight = labelScale * labelSum + labelSmoothing;
  for (var k = 0u; k < classes; k++) {
    let probability = exp(logits[first + k] - largest) / sum;
    let label = labelScale * labels[first + k] + labelOffset;
    dLogits[first + k] = dLosses[id.x] * (probability * weight - label);
  }
}
