// Gradient of batch normalization, first of three: Σ dy and Σ dy·(x − mean) of each chunk of rows, per channel.
//
// Blocks of 8 rows are summed in registers, then added to the chunk's sums. An invocation takes one chunk of one channel, or of
// a vector of channels; chunks depend on shapes only. partials is [chunks][2][channels]. Traffic: dy and x once.

alias Lanes = vec4f; // or f32 in the file not ending in -vec4

struct Params {
  rows: u32,
  channels: u32, // in units of Lanes
  chunks: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> dy: array<Lanes>;
@group(0) @binding(1) var<storage, read> x: array<Lanes>;
@group(0) @binding(2) var<storage, read> mean: array<Lanes>;
@group(0) @binding(3) var<storage, read_write> partials: array<Lanes>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  if (id >= params.chunks * params.channels) {
    return;
  }
  let channel = id % params.channels;
  let chunk = id / params.channels;
  let rowsPerChunk = (params.rows + params.chunks - 1) / params.chunks;
  let first = min(chunk * rowsPerChunk, params.rows);
  let last = min(first + rowsPerChunk, params.rows);
  let c = params.channels;
  let center = mean[channel];

  var sum = Lanes();
  var products = Lanes();
  var row = first;
  for (; row + 8 <= last; row += 8) {
    let at = row * c + channel;
    let d0 = dy[at];
    let d1 = dy[at + c];
    let d2 = dy[at + 2 * c];
    let d3 = dy[at + 3 * c];
    let d4 = dy[at + 4 * c];
    let d5 = dy[at + 5 * c];
    let d6 = dy[at + 6 * c];
    let d7 = dy[at + 7 * c];
    sum += ((d0 + d1) + (d2 + d3)) + ((d4 + d5) + (d6 + d7));
    products +=
      ((d0 * (x[at] - center) + d1 * (x[at + c] - center)) + (d2 * (x[at + 2 * c] - center) + d3 * (x[at + 3 * c] - center))) +
      ((d4 * (x[at + 4 * c] - center) + d5 * (x[at + 5 * c] - center)) + (d6 * (x[at + 6 * c] - center) + d7 * (x[at + 7 * c] - center)));
  }
  for (; row < last; row++) {
    let at = row * c + channel;
    sum += dy[at];
    products += dy[at] * (x[at] - center);
  }
  partials[2 * chunk * c + channel] = sum;
  partials[(2 * chunk + 1) * c + channel] = products;
}
