// dLogits = dLoss·(softmax(logits)·Σ labels − labels) along each row of [batch, classes].
// Invocation: one row. Traffic: logits three times, labels twice, dLogits once.
override batch: u32;
override classes: u32;

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
  var weight = 0f;
  for (var k = 0u; k < classes; k++) {
    sum += exp(logits[first + k] - largest);
    weight += labels[first + k];
  }
  for (var k = 0u; k < classes; k++) {
    let probability = exp(logits[first + k] - largest) / sum;
    dLogits[first + k] = dLosses[id.x] * (probability * weight - labels[first + k]);
  }
}
