// y = the largest element of each window of x [batch, height, width, channels]; padding never wins.
// Floats are compared as integers, since WGSL promises nothing of NaN (it wins) and may flush subnormals.
// Invocation: one element of y. Traffic: x as often as windows overlap, y once.
struct Params {
  count: u32, // elements of y
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

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

// Integers in the order of the floats of these bits; NaN is above all.
fn rank(bits: u32) -> i32 {
  let magnitude = i32(bits & 0x7fffffffu);
  return select(magnitude, -magnitude - 1, (bits >> 31u) == 1u && magnitude <= 0x7f800000);
}

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
  let n = position / (params.outWidth * params.outHeight);
  let top = (position / params.outWidth) % params.outHeight * params.strideHeight - params.padTop;
  let left = position % params.outWidth * params.strideWidth - params.padLeft;
  let firstRow = max(top, 0);
  let firstColumn = max(left, 0);
  var best = x[u32((n * params.height + firstRow) * params.width + firstColumn) * params.channels + c];
  for (var h = firstRow; h < min(top + params.windowHeight, params.height); h++) {
    for (var w = firstColumn; w < min(left + params.windowWidth, params.width); w++) {
      let value = x[u32((n * params.height + h) * params.width + w) * params.channels + c];
      best = select(best, value, rank(value) > rank(best));
    }
  }
  y[at] = best;
}
