// Σ x of each chunk of rows, per channel: sums is [chunks][channels]. Run once more on its own result, with one chunk, it gives
// the gradient of a bias.
//
// Blocks of 8 rows are summed in registers, then added to the chunk's sum. An invocation takes one chunk of one channel, or of
// a vector of channels; chunks depend on shapes only. Traffic: x once.

alias Lanes = f32; // or vec4f in the file ending in -vec4

override rows: u32;
override channels: u32; // in units of Lanes
override chunks: u32;

@group(0) @binding(0) var<storage, read> x: array<Lanes>;
@group(0) @binding(1) var<storage, read_write> sums: array<Lanes>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  if (id >= chunks * channels) {
    return;
  }
  let channel = id % channels;
  let chunk = id / channels;
  let rowsPerChunk = (rows + chunks - 1) / chunks;
  let first = min(chunk * rowsPerChunk, rows);
  let last = min(first + rowsPerChunk, rows);
  let c = channels;
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
