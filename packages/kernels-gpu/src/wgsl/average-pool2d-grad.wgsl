// dx = Σ of dy/count over the windows that see an element, count being the elements of a window without padding.
// Invocation: one element of dx. Traffic: dy as often as windows overlap, dx once.
struct Params {
  count: u32, // elements of dx
  height: i32,
  width: i32,
  channels: u32,
  outHeight: i32,
  outWidth: i32,
  windowHeight: i32,
  windowWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= params.count) {
    return;
  }
  let c = at % params.channels;
  let position = i32(at / params.channels);
  let n = position / (params.width * params.height);
  let h = (position / params.width) % params.height;
  let w = position % params.width;
  // Windows over row h: i·stride − pad ≤ h < i·stride − pad + size. Numerators are at least 0, where division rounds down.
  let firstI = max(h + params.padTop - params.windowHeight + params.strideHeight, 0) / params.strideHeight;
  let lastI = min((h + params.padTop) / params.strideHeight, params.outHeight - 1);
  let firstJ = max(w + params.padLeft - params.windowWidth + params.strideWidth, 0) / params.strideWidth;
  let lastJ = min((w + params.padLeft) / params.strideWidth, params.outWidth - 1);
  var sum = 0f;
  for (var i = firstI; i <= lastI; i++) {
    let top = i * params.strideHeight - params.padTop;
    let rows = min(top + params.windowHeight, params.height) - max(top, 0);
    for (var j = firstJ; j <= lastJ; j++) {
      let left = j * params.strideWidth - params.padLeft;
      let columns = min(left + params.windowWidth, params.width) - max(left, 0);
      sum += dy[u32((n * params.outHeight + i) * params.outWidth + j) * params.channels + c] / f32(rows * columns);
    }
  }
  dx[at] = sum;
}
