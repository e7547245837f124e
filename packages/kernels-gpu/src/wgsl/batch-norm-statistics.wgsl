// Batch statistics, first half: mean and Σ(x − mean)² of each chunk of rows, per channel.
//
// Blocks of 8 rows are summed twice while they are in registers (mean, then squared distances from it) and merged (Chan,
// Golub & LeVeque 1979): one pass over memory, with the accuracy of two. An invocation takes one chunk of one channel, or
// of a vector of channels; chunks depend on shapes only. partials is [chunks][2][channels]. Traffic: x once.

alias Lanes = f32; // or vec4f in the file ending in -vec4

struct Params {
  rows: u32,
  channels: u32, // in units of Lanes
  chunks: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> x: array<Lanes>;
@group(0) @binding(1) var<storage, read_write> partials: array<Lanes>;

fn square(d: Lanes) -> Lanes {
  return d * d;
}

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

  var mean = Lanes();
  var squares = Lanes();
  var count = 0.0;
  var row = first;
  for (; row + 8 <= last; row += 8) {
    let at = row * c + channel;
    let x0 = x[at];
    let x1 = x[at + c];
    let x2 = x[at + 2 * c];
    let x3 = x[at + 3 * c];
    let x4 = x[at + 4 * c];
    let x5 = x[at + 5 * c];
    let x6 = x[at + 6 * c];
    let x7 = x[at + 7 * c];
    let blockMean = (((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7))) * 0.125;
    let blockSquares =
      ((square(x0 - blockMean) + square(x1 - blockMean)) + (square(x2 - blockMean) + square(x3 - blockMean))) +
      ((square(x4 - blockMean) + square(x5 - blockMean)) + (square(x6 - blockMean) + square(x7 - blockMean)));
    let total = count + 8.0;
    let delta = blockMean - mean;
    mean += delta * (8.0 / total);
    squares += blockSquares + square(delta) * (count * 8.0 / total);
    count = total;
  }
  for (; row < last; row++) {
    let value = x[row * c + channel];
    count += 1.0;
    let delta = value - mean;
    mean += delta * (1.0 / count);
    squares += delta * (value - mean);
  }
  partials[2 * chunk * c + channel] = mean;
  partials[(2 * chunk + 1) * c + channel] = squares;
}
