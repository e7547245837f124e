// Products of planes: y[plane] = a[plane]·b[plane], rows × inner by inner × columns. A matrix product is one plane, and a Winograd
// convolution 36, whose rows are tiles.
//
// An invocation computes 8 rows × 16 columns in registers, four inner elements a round: 24 loads of vectors for 512
// multiply-adds. Neighbouring invocations take neighbouring columns of the same rows; z counts planes.
// a is [planes][rows][innerVectors], b [planes][inner][columns padded to 16], y [planes][rows][columnVectors].
// Traffic, from caches for the most part: a once for each 16 columns, b once for each 8 rows, y once.

struct Params {
  rows: u32, // of a plane
  innerVectors: u32, // inner / 4
  columnVectors: u32, // columns / 4
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn fourRows(r0: u32, r1: u32, r2: u32, r3: u32, k: u32) -> mat4x4f {
  return mat4x4f(a[r0 + k], a[r1 + k], a[r2 + k], a[r3 + k]);
}

/** Four rows of four columns of b. */
fn panel(at: u32, step: u32) -> mat4x4f {
  return mat4x4f(b[at], b[at + step], b[at + 2 * step], b[at + 3 * step]);
}

fn storeRow(at: u32, vectors: u32, inside: bool, s0: vec4f, s1: vec4f, s2: vec4f, s3: vec4f) {
  if (!inside) {
    return;
  }
  y[at] = s0;
  if (vectors > 1) {
    y[at + 1] = s1;
  }
  if (vectors > 2) {
    y[at + 2] = s2;
  }
  if (vectors > 3) {
    y[at + 3] = s3;
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  let blocks = (params.columnVectors + 3) / 4;
  let first = id / blocks * 8;
  if (first >= params.rows) {
    return;
  }
  let block = id % blocks * 4;
  let plane = group.z * params.rows;
  let last = params.rows - 1;
  let r0 = (plane + first) * params.innerVectors;
  let r1 = (plane + min(first + 1, last)) * params.innerVectors;
  let r2 = (plane + min(first + 2, last)) * params.innerVectors;
  let r3 = (plane + min(first + 3, last)) * params.innerVectors;
  let r4 = (plane + min(first + 4, last)) * params.innerVectors;
  let r5 = (plane + min(first + 5, last)) * params.innerVectors;
  let r6 = (plane + min(first + 6, last)) * params.innerVectors;
  let r7 = (plane + min(first + 7, last)) * params.innerVectors;

  // Columns of a sum are rows of y: sum00 to sum03 are rows 0–3, four columns each.
  var sum00 = mat4x4f();
  var sum01 = mat4x4f();
  var sum02 = mat4x4f();
  var sum03 = mat4x4f();
  var sum10 = mat4x4f();
  var sum11 = mat4x4f();
  var sum12 = mat4x4f();
  var sum13 = mat4x4f();
  let step = blocks * 4;
  var source = group.z * params.innerVectors * 4 * step + block;
  for (var k = 0u; k < params.innerVectors; k++) {
    let a0 = fourRows(r0, r1, r2, r3, k);
    let a1 = fourRows(r4, r5, r6, r7, k);
    let b0 = panel(source, step);
    let b1 = panel(source + 1, step);
    let b2 = panel(source + 2, step);
    let b3 = panel(source + 3, step);
    sum00 += b0 * a0;
    sum01 += b1 * a0;
    sum02 += b2 * a0;
    sum03 += b3 * a0;
    sum10 += b0 * a1;
    sum11 += b1 * a1;
    sum12 += b2 * a1;
    sum13 += b3 * a1;
    source += 4 * step;
  }

  let at = (plane + first) * params.columnVectors + block;
  let vectors = params.columnVectors - block;
  storeRow(at, vectors, true, sum00[0], sum01[0], sum02[0], sum03[0]);
  storeRow(at + params.columnVectors, vectors, first + 1 < params.rows, sum00[1], sum01[1], sum02[1], sum03[1]);
  storeRow(at + 2 * params.columnVectors, vectors, first + 2 < params.rows, sum00[2], sum01[2], sum02[2], sum03[2]);
  storeRow(at + 3 * params.columnVectors, vectors, first + 3 < params.rows, sum00[3], sum01[3], sum02[3], sum03[3]);
  storeRow(at + 4 * params.columnVectors, vectors, first + 4 < params.rows, sum10[0], sum11[0], sum12[0], sum13[0]);
  storeRow(at + 5 * params.columnVectors, vectors, first + 5 < params.rows, sum10[1], sum11[1], sum12[1], sum13[1]);
  storeRow(at + 6 * params.columnVectors, vectors, first + 6 < params.rows, sum10[2], sum11[2], sum12[2], sum13[2]);
  storeRow(at + 7 * params.columnVectors, vectors, first + 7 < params.rows, sum10[3], sum11[3], sum12[3], sum13[3]);
}
