// y = the mean of each window of x [batch, height, width, channels], padding left out of the count.
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

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

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
  let lastRow = min(top + windowHeight, height);
  let firstColumn = max(left, 0);
  let lastColumn = min(left + windowWidth, width);
  // Rows are added up by themselves: two levels keep the rounding of large windows small.
  var sum = 0f;
  for (var h = firstRow; h < lastRow; h++) {
    var rowSum = 0f;
    for (var w = firstColumn; w < lastColumn; w++) {
      rowSum += x[u32((n * height + h) * width + w) * channels + c];
    }
    sum += rowSum;
  }
  y[at] = sum / f32((lastRow - firstRow) * (lastColumn - firstColumn));
}
