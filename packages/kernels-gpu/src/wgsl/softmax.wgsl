// y = e^(x − max x) / Σ e^(x − max x) along each row of [batch, classes].
// Invocation: one row. Traffic: x three times, y twice.
struct Params {
  batch: u32,
  classes: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.batch) {
    return;
  }
  let first = id.x * params.classes;
  var largest = x[first];
  for (var k = 1u; k < params.classes; k++) {
    largest = max(largest, x[first + k]);
  }
  var sum = 0f;
  for (var k = 0u; k < params.classes; k++) {
    sum += exp(x[first + k] - largest);
  }
  for (var k = 0u; k < params.classes; k++) {
    y[first + k] = exp(x[first + k] - largest) / sum;
  }
}
