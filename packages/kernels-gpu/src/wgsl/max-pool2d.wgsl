// y = the largest element of each window of x [batch, height, width, channels]; padding never wins.
// Floats are compared as integers, since WGSL promises nothing of NaN (it wins) and may flush subnormals.
// Invocation: one element of y. Traffic: x as often as windows overlap, y once.
override count: u32; // elements of y
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
  if (at >= count) {
    return;
  }
  let c = at % channels;
  let position = i32(at / channels);
  let n = position / (outWidth * outHeight);
  let top = (position / outWidth) % outHeight * strideHeight - padTop;
  let left = position % outWidth * strideWidth - padLeft;
  let firstRow = max(top, 0);
  let firstColumn = max(left, 0);
  var best = x[u32((n * height + firstRow) * width + firstColumn) * channels + c];
  for (var h = firstRow; h < min(top + windowHeight, height); h++) {
    for (var w = firstColumn; w < min(left + windowWidth, width); w++) {
      let value = x[u32((n * height + h) * width + w) * channels + c];
      best = select(best, value, rank(value) > rank(best));
    }
  }
  y[at] = best;
}
