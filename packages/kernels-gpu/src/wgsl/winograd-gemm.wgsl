// Winograd products: m[plane] = v[plane]·u[plane] in each of 36 planes, tiles × inner by inner × columns.
//
// An invocation computes 8 tiles × 16 columns in registers, four inner channels a round: 24 loads of vectors for 512
// multiply-adds. Neighbouring invocations take neighbouring columns of the same tiles; z counts planes.
// v is [36][tiles][innerVectors], u [36][inner][columns padded to 16], m [36][tiles][columnVectors].
// Traffic, from caches for the most part: v once for each 16 columns, u once for each 8 tiles, m once.

override tiles: u32;
override innerVectors: u32; // inner / 4
override columnVectors: u32; // columns / 4

@group(0) @binding(0) var<storage, read> v: array<vec4f>;
@group(0) @binding(1) var<storage, read> u: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4f>;

fn rows(r0: u32, r1: u32, r2: u32, r3: u32, k: u32) -> mat4x4f {
  return mat4x4f(v[r0 + k], v[r1 + k], v[r2 + k], v[r3 + k]);
}

/** Four inner channels of four columns. */
fn panel(at: u32, step: u32) -> mat4x4f {
  return mat4x4f(u[at], u[at + step], u[at + 2 * step], u[at + 3 * step]);
}

fn storeTile(at: u32, vectors: u32, inside: bool, a: vec4f, b: vec4f, c: vec4f, d: vec4f) {
  if (!inside) {
    return;
  }
  m[at] = a;
  if (vectors > 1) {
    m[at + 1] = b;
  }
  if (vectors > 2) {
    m[at + 2] = c;
  }
  if (vectors > 3) {
    m[at + 3] = d;
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  let blocks = (columnVectors + 3) / 4;
  let first = id / blocks * 8;
  if (first >= tiles) {
    return;
  }
  let block = id % blocks * 4;
  let plane = group.z * tiles;
  let last = tiles - 1;
  let r0 = (plane + first) * innerVectors;
  let r1 = (plane + min(first + 1, last)) * innerVectors;
  let r2 = (plane + min(first + 2, last)) * innerVectors;
  let r3 = (plane + min(first + 3, last)) * innerVectors;
  let r4 = (plane + min(first + 4, last)) * innerVectors;
  let r5 = (plane + min(first + 5, last)) * innerVectors;
  let r6 = (plane + min(first + 6, last)) * innerVectors;
  let r7 = (plane + min(first + 7, last)) * innerVectors;

  // Columns of a sum are tiles: sum00 to sum03 are tiles 0–3, four channels each.
  var sum00 = mat4x4f();
  var sum01 = mat4x4f();
  var sum02 = mat4x4f();
  var sum03 = mat4x4f();
  var sum10 = mat4x4f();
  var sum11 = mat4x4f();
  var sum12 = mat4x4f();
  var sum13 = mat4x4f();
  let step = blocks * 4;
  var source = group.z * innerVectors * 4 * step + block;
  for (var k = 0u; k < innerVectors; k++) {
    let v0 = rows(r0, r1, r2, r3, k);
    let v1 = rows(r4, r5, r6, r7, k);
    let u0 = panel(source, step);
    let u1 = panel(source + 1, step);
    let u2 = panel(source + 2, step);
    let u3 = panel(source + 3, step);
    sum00 += u0 * v0;
    sum01 += u1 * v0;
    sum02 += u2 * v0;
    sum03 += u3 * v0;
    sum10 += u0 * v1;
    sum11 += u1 * v1;
    sum12 += u2 * v1;
    sum13 += u3 * v1;
    source += 4 * step;
  }

  let at = (plane + first) * columnVectors + block;
  let vectors = columnVectors - block;
  storeTile(at, vectors, true, sum00[0], sum01[0], sum02[0], sum03[0]);
  storeTile(at + columnVectors, vectors, first + 1 < tiles, sum00[1], sum01[1], sum02[1], sum03[1]);
  storeTile(at + 2 * columnVectors, vectors, first + 2 < tiles, sum00[2], sum01[2], sum02[2], sum03[2]);
  storeTile(at + 3 * columnVectors, vectors, first + 3 < tiles, sum00[3], sum01[3], sum02[3], sum03[3]);
  storeTile(at + 4 * columnVectors, vectors, first + 4 < tiles, sum10[0], sum11[0], sum12[0], sum13[0]);
  storeTile(at + 5 * columnVectors, vectors, first + 5 < tiles, sum10[1], sum11[1], sum12[1], sum13[1]);
  storeTile(at + 6 * columnVectors, vectors, first + 6 < tiles, sum10[2], sum11[2], sum12[2], sum13[2]);
  storeTile(at + 7 * columnVectors, vectors, first + 7 < tiles, sum10[3], sum11[3], sum12[3], sum13[3]);
}
