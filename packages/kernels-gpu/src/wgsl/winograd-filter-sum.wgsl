// Winograd F(4×4, 3×3), last step of the gradient of the filter: dFilter = Gᵀ [Σ partials] G, chunks summed in order.
//
// An invocation computes the nine taps of one input channel and four output channels in registers. partials is
// [chunks][36][inPadded][outVectors]. Traffic: partials once, dFilter once.

struct Params {
  chunks: u32,
  inChannels: u32,
  inPadded: u32, // channels of partials
  outChannels: u32,
  outVectors: u32, // vectors of channels of partials
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dFilter: array<f32>; // [3][3][inChannels][outChannels]

struct Three { a: vec4f, b: vec4f, c: vec4f }
struct Six { a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f }

/** Gᵀ·m for one row or column of six. */
fn transform(m: Six) -> Three {
  let p = (m.b + m.c) * (1.0 / 6.0);
  let q = m.d + m.e;
  return Three(
    0.25 * m.a - p + q * (1.0 / 24.0),
    (m.c - m.b) * (1.0 / 6.0) + (m.d - m.e) * (1.0 / 12.0),
    q * (1.0 / 6.0) - p + m.f,
  );
}

/** Σ over chunks of one element of a plane. */
fn summed(plane: u32, at: u32) -> vec4f {
  let step = params.inPadded * params.outVectors;
  var source = plane * step + at;
  var sum = partials[source];
  for (var chunk = 1u; chunk < params.chunks; chunk++) {
    source += 36 * step;
    sum += partials[source];
  }
  return sum;
}

fn summedRow(row: u32, at: u32) -> Three {
  let first = row * 6;
  return transform(Six(
    summed(first, at),
    summed(first + 1, at),
    summed(first + 2, at),
    summed(first + 3, at),
    summed(first + 4, at),
    summed(first + 5, at),
  ));
}

fn store(tap: u32, c: u32, k: u32, value: vec4f) {
  let at = (tap * params.inChannels + c) * params.outChannels + k;
  dFilter[at] = value.x;
  if (k + 1 < params.outChannels) {
    dFilter[at + 1] = value.y;
  }
  if (k + 2 < params.outChannels) {
    dFilter[at + 2] = value.z;
  }
  if (k + 3 < params.outChannels) {
    dFilter[at + 3] = value.w;
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  let vectors = (params.outChannels + 3) / 4;
  if (id >= params.inChannels * vectors) {
    return;
  }
  let vector = id % vectors;
  let c = id / vectors;
  let at = c * params.outVectors + vector;
  let r0 = summedRow(0, at);
  let r1 = summedRow(1, at);
  let r2 = summedRow(2, at);
  let r3 = summedRow(3, at);
  let r4 = summedRow(4, at);
  let r5 = summedRow(5, at);

  let left = transform(Six(r0.a, r1.a, r2.a, r3.a, r4.a, r5.a));
  let middle = transform(Six(r0.b, r1.b, r2.b, r3.b, r4.b, r5.b));
  let right = transform(Six(r0.c, r1.c, r2.c, r3.c, r4.c, r5.c));
  let k = vector * 4;
  store(0, c, k, left.a);
  store(1, c, k, middle.a);
  store(2, c, k, right.a);
  store(3, c, k, left.b);
  store(4, c, k, middle.b);
  store(5, c, k, right.b);
  store(6, c, k, left.c);
  store(7, c, k, middle.c);
  store(8, c, k, right.c);
}
