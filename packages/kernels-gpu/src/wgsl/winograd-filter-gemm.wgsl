// Winograd products for the gradient of the filter: partials[chunk][plane][c][k] = Σ v[plane][tile][c] · g[plane][tile][k]
// over the tiles of the chunk, in each of 36 planes.
//
// An invocation sums 8 channels of v × 16 of g in registers, four tiles a round: 24 loads of vectors for 512 multiply-adds.
// Neighbouring invocations take neighbouring channels; z counts planes. Chunks depend on shapes only, so that the sum's tree
// is fixed. Partials are padded to 8 and 16 channels. Traffic, from caches for the most part: v once for each 16 channels
// of g, g once for each 8 of v, partials once.

struct Params {
  tiles: u32,
  vectors: u32, // channels of v / 4
  outVectors: u32, // channels of g / 4
  chunks: u32,
  tilesPerChunk: u32, // a multiple of 4
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> v: array<vec4f>;
@group(0) @binding(1) var<storage, read> g: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

/** A tile's vector of v: zero beyond the last tile, so that what g holds there does not count. */
fn input(plane: u32, tile: u32, vector: u32) -> vec4f {
  let inside = tile < params.tiles;
  return select(vec4f(), v[select(0u, (plane + tile) * params.vectors + vector, inside)], inside);
}

/** Four tiles of v: a matrix of tiles by channels. */
fn inputs(plane: u32, tile: u32, vector: u32) -> mat4x4f {
  return transpose(mat4x4f(
    input(plane, tile, vector),
    input(plane, tile + 1, vector),
    input(plane, tile + 2, vector),
    input(plane, tile + 3, vector),
  ));
}

/** Four tiles of g: a matrix of channels by tiles. The last tile stands in for those beyond it. */
fn grads(plane: u32, tile: u32, vector: u32) -> mat4x4f {
  let last = params.tiles - 1;
  return mat4x4f(
    g[(plane + min(tile, last)) * params.outVectors + vector],
    g[(plane + min(tile + 1, last)) * params.outVectors + vector],
    g[(plane + min(tile + 2, last)) * params.outVectors + vector],
    g[(plane + min(tile + 3, last)) * params.outVectors + vector],
  );
}

/** Columns of a sum are channels of v. */
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
  let k = id % outBlocks * 4;
  let c = id / outBlocks % inBlocks * 2;
  let chunk = id / (outBlocks * inBlocks);
  if (chunk >= params.chunks) {
    return;
  }
  // Vectors beyond the last are summed like the last and never read.
  let c1 = min(c + 1, params.vectors - 1);
  let k1 = min(k + 1, params.outVectors - 1);
  let k2 = min(k + 2, params.outVectors - 1);
  let k3 = min(k + 3, params.outVectors - 1);
  let plane = group.z * params.tiles;

  var sum00 = mat4x4f();
  var sum01 = mat4x4f();
  var sum02 = mat4x4f();
  var sum03 = mat4x4f();
  var sum10 = mat4x4f();
  var sum11 = mat4x4f();
  var sum12 = mat4x4f();
  var sum13 = mat4x4f();
  let last = min((chunk + 1) * params.tilesPerChunk, params.tiles);
  for (var tile = chunk * params.tilesPerChunk; tile < last; tile += 4) {
    let v0 = inputs(plane, tile, c);
    let v1 = inputs(plane, tile, c1);
    let g0 = grads(plane, tile, k);
    let g1 = grads(plane, tile, k1);
    let g2 = grads(plane, tile, k2);
    let g3 = grads(plane, tile, k3);
    sum00 += g0 * v0;
    sum01 += g1 * v0;
    sum02 += g2 * v0;
    sum03 += g3 * v0;
    sum10 += g0 * v1;
    sum11 += g1 * v1;
    sum12 += g2 * v1;
    sum13 += g3 * v1;
  }

  let step = outBlocks * 4;
  let at = ((chunk * 36 + group.z) * inBlocks * 8 + c * 4) * step + k;
  store(at, step, sum00);
  store(at + 1, step, sum01);
  store(at + 2, step, sum02);
  store(at + 3, step, sum03);
  store(at + 4 * step, step, sum10);
  store(at + 4 * step + 1, step, sum11);
  store(at + 4 * step + 2, step, sum12);
  store(at + 4 * step + 3, step, sum13);
}
