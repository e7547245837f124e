// dx = y·(dy − Σ dy·y) along each row of [batch, classes].
// Invocation: one row. Traffic: dy and y twice, dx once.
struct Params {
  batch: u32,
  classes: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.batch) {
    return;
  }
  let first = id.x * params.classes;
  var dot = 0f;
  for (var k = first; k < first + params.classes; k++) {
    dot += dy[k] * y[k];
  }
  for (var k = first; k < first + params.classes; k++) {
    dx[k] = y[k] * (dy[k] - dot);
  }
}
