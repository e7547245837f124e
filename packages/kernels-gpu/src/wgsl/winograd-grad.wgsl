// Winograd F(4×4, 3×3), for the gradient of the filter: A·dY·Aᵀ of every 4×4 tile of dy.
//
// An invocation transforms one tile of four channels in registers; dy is zero beyond the edge. Neighbouring invocations take
// neighbouring channels. g is [36][tiles][vectors]. Traffic: dy once, g once, 36/16 times the size of dy.

struct Params {
  batch: u32,
  outHeight: u32,
  outWidth: u32,
  vectors: u32, // channels / 4
  tileRows: u32,
  tileColumns: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> g: array<vec4f>;

struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }
struct Six { a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f }

/** A·d for one row or column of four. */
fn transform(d: Four) -> Six {
  let p = d.a + d.c;
  let q = d.b + d.d;
  let r = d.a + 4.0 * d.c;
  let s = 2.0 * d.b + 8.0 * d.d;
  return Six(d.a, p + q, p - q, r + s, r - s, d.d);
}

fn pixel(image: u32, row: u32, column: u32, channel: u32) -> vec4f {
  let inside = row < params.outHeight && column < params.outWidth;
  let index = (image + row * params.outWidth + column) * params.vectors + channel;
  return select(vec4f(), dy[select(0u, index, inside)], inside);
}

fn tileRow(image: u32, row: u32, column: u32, channel: u32) -> Six {
  return transform(Four(
    pixel(image, row, column, channel),
    pixel(image, row, column + 1, channel),
    pixel(image, row, column + 2, channel),
    pixel(image, row, column + 3, channel),
  ));
}

fn storeColumn(first: u32, step: u32, column: Four) {
  let t = transform(column);
  g[first] = t.a;
  g[first + 6 * step] = t.b;
  g[first + 12 * step] = t.c;
  g[first + 18 * step] = t.d;
  g[first + 24 * step] = t.e;
  g[first + 30 * step] = t.f;
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
  let image = tile / (params.tileRows * params.tileColumns) * (params.outHeight * params.outWidth);
  let row = tile / params.tileColumns % params.tileRows * 4;
  let column = tile % params.tileColumns * 4;

  let r0 = tileRow(image, row, column, channel);
  let r1 = tileRow(image, row + 1, column, channel);
  let r2 = tileRow(image, row + 2, column, channel);
  let r3 = tileRow(image, row + 3, column, channel);

  let step = tiles * params.vectors;
  storeColumn(id, step, Four(r0.a, r1.a, r2.a, r3.a));
  storeColumn(id + step, step, Four(r0.b, r1.b, r2.b, r3.b));
  storeColumn(id + 2 * step, step, Four(r0.c, r1.c, r2.c, r3.c));
  storeColumn(id + 3 * step, step, Four(r0.d, r1.d, r2.d, r3.d));
  storeColumn(id + 4 * step, step, Four(r0.e, r1.e, r2.e, r3.e));
  storeColumn(id + 5 * step, step, Four(r0.f, r1.f, r2.f, r3.f));
}
