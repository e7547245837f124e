// Matrix product y = op(a)·op(b), op being the transpose where the strides say so.
//
// An invocation computes 4 rows × 4 columns in registers, four inner elements a round: 32 loads for 64 multiply-adds. Rows and
// columns beyond the last are computed like the last and not stored. Neighbouring invocations take neighbouring columns.
// Traffic, from caches for the most part: a once for each 4 columns, b once for each 4 rows, y once.

struct Params {
  rows: u32,
  columns: u32,
  inner: u32,
  aRowStride: u32,
  aInnerStride: u32,
  bInnerStride: u32,
  bColumnStride: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn elementOfA(row: u32, k: u32) -> f32 {
  let inside = k < params.inner;
  return select(0.0, a[select(0u, min(row, params.rows - 1) * params.aRowStride + k * params.aInnerStride, inside)], inside);
}

fn elementOfB(k: u32, column: u32) -> f32 {
  let inside = k < params.inner;
  return select(0.0, b[select(0u, k * params.bInnerStride + min(column, params.columns - 1) * params.bColumnStride, inside)], inside);
}

fn rowOfA(row: u32, k: u32) -> vec4f {
  return vec4f(elementOfA(row, k), elementOfA(row, k + 1), elementOfA(row, k + 2), elementOfA(row, k + 3));
}

fn rowOfB(k: u32, column: u32) -> vec4f {
  return vec4f(elementOfB(k, column), elementOfB(k, column + 1), elementOfB(k, column + 2), elementOfB(k, column + 3));
}

fn store(row: u32, column: u32, values: vec4f) {
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns + column;
  y[at] = values.x;
  if (column + 1 < params.columns) {
    y[at + 1] = values.y;
  }
  if (column + 2 < params.columns) {
    y[at + 2] = values.z;
  }
  if (column + 3 < params.columns) {
    y[at + 3] = values.w;
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  let blocks = (params.columns + 3) / 4;
  let row = id / blocks * 4;
  if (row >= params.rows) {
    return;
  }
  let column = id % blocks * 4;
  var sum = mat4x4f();
  for (var k = 0u; k < params.inner; k += 4) {
    let left = mat4x4f(rowOfA(row, k), rowOfA(row + 1, k), rowOfA(row + 2, k), rowOfA(row + 3, k));
    let right = mat4x4f(rowOfB(k, column), rowOfB(k + 1, column), rowOfB(k + 2, column), rowOfB(k + 3, column));
    sum += right * left;
  }
  store(row, column, sum[0]);
  store(row + 1, column, sum[1]);
  store(row + 2, column, sum[2]);
  store(row + 3, column, sum[3]);
}
