// Winograd F(4×4, 3×3), last step: y = Aᵀ m A of every 4×4 tile, with the epilogue of the convolution:
// y = relu(… + bias + residual), or (… + residual)·[mask > 0].
//
// An invocation computes one tile of four channels in registers; results beyond the edge are left out. m is
// [36][tiles][vectors]. Absent operands are bound to any buffer and not read.
// Traffic: m once, 36/16 times the size of y; y, residual and mask once.

struct Params {
  batch: u32,
  outHeight: u32,
  outWidth: u32,
  vectors: u32, // channels / 4
  tileRows: u32,
  tileColumns: u32,
  hasBias: u32,
  hasResidual: u32,
  hasMask: u32,
  relu: u32, // 0 or 1, like the three above
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> m: array<vec4f>;
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;
@group(0) @binding(2) var<storage, read> residual: array<vec4f>;
@group(0) @binding(3) var<storage, read> mask: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }
struct Six { a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f }

/** Aᵀ·m for one row or column of six. */
fn transform(m: Six) -> Four {
  let p = m.b + m.c;
  let q = m.b - m.c;
  let r = m.d + m.e;
  let s = m.d - m.e;
  return Four(m.a + p + r, q + 2.0 * s, p + 4.0 * r, q + 8.0 * s + m.f);
}

fn loadColumn(first: u32, step: u32) -> Four {
  return transform(Six(
    m[first],
    m[first + 6 * step],
    m[first + 12 * step],
    m[first + 18 * step],
    m[first + 24 * step],
    m[first + 30 * step],
  ));
}

fn store(at: u32, inside: bool, sum: vec4f, added: vec4f) {
  if (!inside) {
    return;
  }
  var value = sum + added;
  if (params.hasResidual != 0) {
    value += residual[at];
  }
  if (params.hasMask != 0) {
    value = select(vec4f(), value, mask[at] > vec4f());
  }
  if (params.relu != 0) {
    value = max(value, vec4f());
  }
  y[at] = value;
}

fn storeRow(at: u32, inside: bool, columns: u32, row: Six, added: vec4f) {
  let t = transform(row);
  store(at, inside, t.a, added);
  store(at + params.vectors, inside && columns > 1, t.b, added);
  store(at + 2 * params.vectors, inside && columns > 2, t.c, added);
  store(at + 3 * params.vectors, inside && columns > 3, t.d, added);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  let tiles = params.batch * params.tileRows * params.tileColumns;
  if (id >= tiles * params.vectors) {
    return;
  }
  let channel = id % params.vectors;
  let tile = id / params.vectors;
  let image = tile / (params.tileRows * params.tileColumns);
  let row = tile / params.tileColumns % params.tileRows * 4;
  let column = tile % params.tileColumns * 4;

  let step = tiles * params.vectors;
  let c0 = loadColumn(id, step);
  let c1 = loadColumn(id + step, step);
  let c2 = loadColumn(id + 2 * step, step);
  let c3 = loadColumn(id + 3 * step, step);
  let c4 = loadColumn(id + 4 * step, step);
  let c5 = loadColumn(id + 5 * step, step);

  var added = vec4f();
  if (params.hasBias != 0) {
    added = bias[channel];
  }
  let at = ((image * params.outHeight + row) * params.outWidth + column) * params.vectors + channel;
  let rowStep = params.outWidth * params.vectors;
  let columns = params.outWidth - column;
  storeRow(at, true, columns, Six(c0.a, c1.a, c2.a, c3.a, c4.a, c5.a), added);
  storeRow(at + rowStep, row + 1 < params.outHeight, columns, Six(c0.b, c1.b, c2.b, c3.b, c4.b, c5.b), added);
  storeRow(at + 2 * rowStep, row + 2 < params.outHeight, columns, Six(c0.c, c1.c, c2.c, c3.c, c4.c, c5.c), added);
  storeRow(at + 3 * rowStep, row + 3 < params.outHeight, columns, Six(c0.d, c1.d, c2.d, c3.d, c4.d, c5.d), added);
}
