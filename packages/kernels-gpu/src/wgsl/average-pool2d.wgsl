// y = the mean of each window of x [batch, height, width, channels], padding left out of the count.
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

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

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
  let lastRow = min(top + params.windowHeight, params.height);
  let firstColumn = max(left, 0);
  let lastColumn = min(left + params.windowWidth, params.width);
  // Rows are added up by themselves: two levels keep the rounding of large windows small.
  var sum = 0f;
  for (var h = firstRow; h < lastRow; h++) {
    var rowSum = 0f;
    for (var w = firstColumn; w < lastColumn; w++) {
      rowSum += x[u32((n * params.height + h) * params.width + w) * params.channels + c];
    }
    sum += rowSum;
  }
  y[at] = sum / f32((lastRow - firstRow) * (lastColumn - firstColumn));
}
