// dx = Σ of dy/count over the windows that see an element, count being the elements of a window without padding.
// Invocation: one element of dx. Traffic: dy as often as windows overlap, dx once.
override count: u32; // elements of dx
override height: i32;
override width: i32;
override channels: u32;
override outHeight: i32;
override outWidth: i32;
override windowHeight: i32;
override windowWidth: i32;
override strideHeight: i32;
override strideWidth: i32;
override padTop: i32;
override padLeft: i32;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= count) {
    return;
  }
  let c = at % channels;
  let position = i32(at / channels);
  let n = position / (width * height);
  let h = (position / width) % height;
  let w = position % width;
  // Windows over row h: i·stride − pad ≤ h < i·stride − pad + size. Numerators are at least 0, where division rounds down.
  let firstI = max(h + padTop - windowHeight + strideHeight, 0) / strideHeight;
  let lastI = min((h + padTop) / strideHeight, outHeight - 1);
  let firstJ = max(w + padLeft - windowWidth + strideWidth, 0) / strideWidth;
  let lastJ = min((w + padLeft) / strideWidth, outWidth - 1);
  var sum = 0f;
  for (var i = firstI; i <= lastI; i++) {
    let top = i * strideHeight - padTop;
    let rows = min(top + windowHeight, height) - max(top, 0);
    for (var j = firstJ; j <= lastJ; j++) {
      let left = j * strideWidth - padLeft;
      let columns = min(left + windowWidth, width) - max(left, 0);
      sum += dy[u32((n * outHeight + i) * outWidth + j) * channels + c] / f32(rows * columns);
    }
  }
  dx[at] = sum;
}
