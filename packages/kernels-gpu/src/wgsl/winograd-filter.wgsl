// Winograd F(4×4, 3×3), the filter: U = G g Gᵀ of every pair of channels.
//
// An invocation transforms four columns of one inner channel in registers: columns are output channels and inner channels
// input channels, or with `backward` the other way round, on flipped taps: the gradient with respect to the input is the same
// convolution on them. u is [36][innerPadded][columnVectors], zero where padded. Traffic: the filter once, u four times that.

struct Params {
  inner: u32,
  columns: u32,
  innerPadded: u32,
  columnVectors: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override backward: bool;

@group(0) @binding(0) var<storage, read> filters: array<f32>; // [3][3][inChannels][outChannels]
@group(0) @binding(1) var<storage, read_write> u: array<vec4f>;

struct Three { a: vec4f, b: vec4f, c: vec4f }
struct Six { a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f }

fn tap(index: u32, k: u32, column: u32) -> f32 {
  let inside = k < params.inner && column < params.columns;
  let forward = (index * params.inner + k) * params.columns + column;
  let flipped = ((8 - index) * params.columns + column) * params.inner + k;
  return select(0.0, filters[select(0u, select(forward, flipped, backward), inside)], inside);
}

fn taps(index: u32, k: u32, column: u32) -> vec4f {
  return vec4f(tap(index, k, column), tap(index, k, column + 1), tap(index, k, column + 2), tap(index, k, column + 3));
}

/** G·g for one row or column of three taps. */
fn transform(g: Three) -> Six {
  let outer = (g.a + g.c) * (1.0 / 6.0);
  let middle = g.b * (1.0 / 6.0);
  let even = (g.a + 4.0 * g.c) * (1.0 / 24.0);
  let odd = g.b * (1.0 / 12.0);
  return Six(0.25 * g.a, -(outer + middle), middle - outer, even + odd, even - odd, g.c);
}

fn storeColumn(first: u32, step: u32, column: Three) {
  let t = transform(column);
  u[first] = t.a;
  u[first + 6 * step] = t.b;
  u[first + 12 * step] = t.c;
  u[first + 18 * step] = t.d;
  u[first + 24 * step] = t.e;
  u[first + 30 * step] = t.f;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  if (id >= params.innerPadded * params.columnVectors) {
    return;
  }
  let column = id % params.columnVectors * 4;
  let k = id / params.columnVectors;

  let r0 = transform(Three(taps(0, k, column), taps(1, k, column), taps(2, k, column)));
  let r1 = transform(Three(taps(3, k, column), taps(4, k, column), taps(5, k, column)));
  let r2 = transform(Three(taps(6, k, column), taps(7, k, column), taps(8, k, column)));

  let step = params.innerPadded * params.columnVectors;
  storeColumn(id, step, Three(r0.a, r1.a, r2.a));
  storeColumn(id + step, step, Three(r0.b, r1.b, r2.b));
  storeColumn(id + 2 * step, step, Three(r0.c, r1.c, r2.c));
  storeColumn(id + 3 * step, step, Three(r0.d, r1.d, r2.d));
  storeColumn(id + 4 * step, step, Three(r0.e, r1.e, r2.e));
  storeColumn(id + 5 * step, step, Three(r0.f, r1.f, r2.f));
}
