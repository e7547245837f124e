// Gradient of a convolution with respect to its filter, for any window, first half: sums over chunks of rows of dy.
//
// partials[chunk][tap][c][k] = Σ x[n, i·strideHeight + r − padTop, j·strideWidth + s − padLeft, c] · dy[n, i, j, k]
// over the rows (n, i) of the chunk and all columns j. An invocation sums one tap, 8 channels of x × 16 of dy in registers,
// four columns a round: 24 loads of vectors for 512 multiply-adds. Neighbouring invocations take neighbouring channels.
// Chunks depend on shapes only, so that the sum's tree is fixed. Channels come in whole vectors; partials are padded to
// 8 and 16 channels. Traffic, from caches for the most part: x for each tap and 16 channels of dy, dy for each tap and 8 of x.

struct Params {
  batch: u32,
  height: u32,
  width: u32,
  vectors: u32, // channels of x / 4
  filterHeight: u32,
  filterWidth: u32,
  strideHeight: u32,
  strideWidth: u32,
  padTop: i32,
  padLeft: i32,
  outHeight: u32,
  outWidth: u32,
  outVectors: u32, // channels of dy / 4
  chunks: u32,
  rowsPerChunk: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

fn load(row: u32, inside: bool, column: i32, vector: u32) -> vec4f {
  let valid = inside && u32(column) < params.width;
  return select(vec4f(), x[select(0u, (row + u32(column)) * params.vectors + vector, valid)], valid);
}

/** Four columns of x: a matrix of columns by channels. */
fn positions(row: u32, inside: bool, column: i32, vector: u32) -> mat4x4f {
  let step = i32(params.strideWidth);
  return transpose(mat4x4f(
    load(row, inside, column, vector),
    load(row, inside, column + step, vector),
    load(row, inside, column + 2 * step, vector),
    load(row, inside, column + 3 * step, vector),
  ));
}

fn grad(row: u32, column: u32, vector: u32) -> vec4f {
  let inside = column < params.outWidth;
  return select(vec4f(), dy[select(0u, (row + column) * params.outVectors + vector, inside)], inside);
}

/** Four columns of dy: a matrix of channels by columns. */
fn grads(row: u32, column: u32, vector: u32) -> mat4x4f {
  return mat4x4f(
    grad(row, column, vector),
    grad(row, column + 1, vector),
    grad(row, column + 2, vector),
    grad(row, column + 3, vector),
  );
}

/** Columns of a sum are channels of x. */
fn store(at: u32, step: u32, sum: mat4x4f) {
  partials[at] = sum[0];
  partials[at + step] = sum[1];
  partials[at + 2 * step] = sum[2];
  partials[at + 3 * step] = sum[3];
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  let outBlocks = (params.outVectors + 3) / 4;
  let inBlocks = (params.vectors + 1) / 2;
  let taps = params.filterHeight * params.filterWidth;
  let k = id % outBlocks * 4;
  let c = id / outBlocks % inBlocks * 2;
  let tap = id / (outBlocks * inBlocks) % taps;
  let chunk = id / (outBlocks * inBlocks * taps);
  if (chunk >= params.chunks) {
    return;
  }
  let r = i32(tap / params.filterWidth) - params.padTop;
  let s = i32(tap % params.filterWidth) - params.padLeft;
  // Vectors beyond the last are summed like the last and never read.
  let c1 = min(c + 1, params.vectors - 1);
  let k1 = min(k + 1, params.outVectors - 1);
  let k2 = min(k + 2, params.outVectors - 1);
  let k3 = min(k + 3, params.outVectors - 1);

  var sum00 = mat4x4f();
  var sum01 = mat4x4f();
  var sum02 = mat4x4f();
  var sum03 = mat4x4f();
  var sum10 = mat4x4f();
  var sum11 = mat4x4f();
  var sum12 = mat4x4f();
  var sum13 = mat4x4f();
  let last = min((chunk + 1) * params.rowsPerChunk, params.batch * params.outHeight);
  for (var line = chunk * params.rowsPerChunk; line < last; line++) {
    let row = i32(line % params.outHeight * params.strideHeight) + r;
    let inside = u32(row) < params.height;
    let line0 = (line / params.outHeight * params.height + u32(row)) * params.width;
    for (var j = 0u; j < params.outWidth; j += 4) {
      let column = i32(j * params.strideWidth) + s;
      let x0 = positions(line0, inside, column, c);
      let x1 = positions(line0, inside, column, c1);
      let g0 = grads(line * params.outWidth, j, k);
      let g1 = grads(line * params.outWidth, j, k1);
      let g2 = grads(line * params.outWidth, j, k2);
      let g3 = grads(line * params.outWidth, j, k3);
      sum00 += g0 * x0;
      sum01 += g1 * x0;
      sum02 += g2 * x0;
      sum03 += g3 * x0;
      sum10 += g0 * x1;
      sum11 += g1 * x1;
      sum12 += g2 * x1;
      sum13 += g3 * x1;
    }
  }

  let step = outBlocks * 4;
  let at = ((chunk * taps + tap) * inBlocks * 8 + c * 4) * step + k;
  store(at, step, sum00);
  store(at + 1, step, sum01);
  store(at + 2, step, sum02);
  store(at + 3, step, sum03);
  store(at + 4 * step, step, sum10);
  store(at + 4 * step + 1, step, sum11);
  store(at + 4 * step + 2, step, sum12);
  store(at + 4 * step + 3, step, sum13);
}
