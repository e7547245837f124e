// Winograd F(4×4, 3×3), first half of the products: V = Bᵀ d B of every 6×6 patch d of x (Lavin & Gray 2016).
//
// An invocation transforms one patch of four channels in registers. Patches overlap by two rows and columns and count over
// batch, rows and columns of 4×4 tiles of the result. Neighbouring invocations take neighbouring channels.
// v is [36][tiles][vectors]. Traffic: x 36/16 times over, v written once, 36/16 times the size of x.

struct Params {
  batch: u32,
  height: u32,
  width: u32,
  vectors: u32, // channels / 4
  padTop: i32,
  padLeft: i32,
  tileRows: u32,
  tileColumns: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> v: array<vec4f>;

struct Six { a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f }

/** Bᵀ·d for one row or column of six. */
fn transform(d: Six) -> Six {
  let p = d.e - 4.0 * d.c;
  let q = d.d - 4.0 * d.b;
  let r = d.e - d.c;
  let s = 2.0 * (d.d - d.b);
  return Six(4.0 * d.a - 5.0 * d.c + d.e, p + q, p - q, r + s, r - s, 4.0 * d.b - 5.0 * d.d + d.f);
}

/** x at a pixel of an image, zero beyond its edge; `image` is the index of the image's first pixel. */
fn pixel(image: u32, row: i32, column: i32, channel: u32) -> vec4f {
  let inside = u32(row) < params.height && u32(column) < params.width;
  let index = (image + u32(row) * params.width + u32(column)) * params.vectors + channel;
  return select(vec4f(), x[select(0u, index, inside)], inside);
}

fn patchRow(image: u32, row: i32, column: i32, channel: u32) -> Six {
  return transform(Six(
    pixel(image, row, column, channel),
    pixel(image, row, column + 1, channel),
    pixel(image, row, column + 2, channel),
    pixel(image, row, column + 3, channel),
    pixel(image, row, column + 4, channel),
    pixel(image, row, column + 5, channel),
  ));
}

fn storeColumn(first: u32, step: u32, column: Six) {
  let t = transform(column);
  v[first] = t.a;
  v[first + 6 * step] = t.b;
  v[first + 12 * step] = t.c;
  v[first + 18 * step] = t.d;
  v[first + 24 * step] = t.e;
  v[first + 30 * step] = t.f;
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
  let image = tile / (params.tileRows * params.tileColumns) * (params.height * params.width);
  let row = i32(tile / params.tileColumns % params.tileRows * 4) - params.padTop;
  let column = i32(tile % params.tileColumns * 4) - params.padLeft;

  let r0 = patchRow(image, row, column, channel);
  let r1 = patchRow(image, row + 1, column, channel);
  let r2 = patchRow(image, row + 2, column, channel);
  let r3 = patchRow(image, row + 3, column, channel);
  let r4 = patchRow(image, row + 4, column, channel);
  let r5 = patchRow(image, row + 5, column, channel);

  let step = tiles * params.vectors;
  storeColumn(id, step, Six(r0.a, r1.a, r2.a, r3.a, r4.a, r5.a));
  storeColumn(id + step, step, Six(r0.b, r1.b, r2.b, r3.b, r4.b, r5.b));
  storeColumn(id + 2 * step, step, Six(r0.c, r1.c, r2.c, r3.c, r4.c, r5.c));
  storeColumn(id + 3 * step, step, Six(r0.d, r1.d, r2.d, r3.d, r4.d, r5.d));
  storeColumn(id + 4 * step, step, Six(r0.e, r1.e, r2.e, r3.e, r4.e, r5.e));
  storeColumn(id + 5 * step, step, Six(r0.f, r1.f, r2.f, r3.f, r4.f, r5.f));
}
