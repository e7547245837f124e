// losses = Σ smoothed·(log Σ e^(logits − max) − (logits − max)) along each row of [batch, classes],
// smoothed = labelScale·labels + labelOffset.
// Invocation: one row. Traffic: logits three times, labels once.
override batch: u32;
override classes: u32;
override labelScale: f32; // 1 − labelSmoothing
override labelOffset: f32; // labelSmoothing/classes

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<f32>;
@group(0) @binding(2) var<storage, read_write> losses: array<f32>;

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
  for (var k = 0u; k < classes; k++) {
    sum += exp(logits[first + k] - largest);
  }
  let logSum = log(sum);
  var loss = 0f;
  for (var k = 0u; k < classes; k++) {
    let label = labelScale * labels[first + k] + labelOffset;
    loss += label * (logSum - (logits[first + k] - largest));
  }
  losses[id.x] = loss;
}
