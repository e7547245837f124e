// Σ x of each chunk of rows, per channel: sums is [chunks][channels]. Run once more on its own result, with one chunk, it gives
// the gradient of a bias.
//
// Blocks of 8 rows are summed in registers, then added to the chunk's sum. An invocation takes one chunk of one channel, or of
// a vector of channels; chunks depend on shapes only. Traffic: x once.

alias Lanes = f32; // or vec4f in the file ending in -vec4

struct Params {
  rows: u32,
  channels: u32, // in units of Lanes
  chunks: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> x: array<Lanes>;
@group(0) @binding(1) var<storage, read_write> sums: array<Lanes>;

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
  var sum = Lanes();
  var row = first;
  for (; row + 8 <= last; row += 8) {
    let at = row * c + channel;
    sum += ((x[at] + x[at + c]) + (x[at + 2 * c] + x[at + 3 * c])) +
      ((x[at + 4 * c] + x[at + 5 * c]) + (x[at + 6 * c] + x[at + 7 * c]));
  }
  for (; row < last; row++) {
    sum += x[row * c + channel];
  }
  sums[id] = sum;
}
