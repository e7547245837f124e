// Packs a filter as a matrix of taps × inner channels by columns: panels[tap][innerPadded][columnVectors], zero where padded.
//
// Columns and inner channels are addressed with strides, and taps with a start and a step along both axes, so that the
// gradient with respect to the input gets flipped taps, every stride-th of them, with channels in exchanged roles.
// One invocation writes one vector of four columns. Traffic: the taps once, the panels once.

struct Params {
  tapRows: u32,
  tapColumns: u32,
  rowStart: i32,
  rowStep: i32,
  columnStart: i32,
  columnStep: i32,
  filterWidth: i32,
  tapStride: u32,
  inner: u32,
  innerStride: u32,
  innerPadded: u32,
  columns: u32,
  columnStride: u32,
  columnVectors: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> filters: array<f32>;
@group(0) @binding(1) var<storage, read_write> panels: array<vec4f>;

fn element(tap: u32, k: u32, column: u32) -> f32 {
  let row = params.rowStart + params.rowStep * i32(tap / params.tapColumns);
  let index = u32(row * params.filterWidth + params.columnStart + params.columnStep * i32(tap % params.tapColumns));
  let inside = k < params.inner && column < params.columns;
  let at = index * params.tapStride + k * params.innerStride + column * params.columnStride;
  return select(0.0, filters[select(0u, at, inside)], inside);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  if (id >= params.tapRows * params.tapColumns * params.innerPadded * params.columnVectors) {
    return;
  }
  let column = id % params.columnVectors * 4;
  let k = id / params.columnVectors % params.innerPadded;
  let tap = id / (params.columnVectors * params.innerPadded);
  panels[id] = vec4f(
    element(tap, k, column),
    element(tap, k, column + 1),
    element(tap, k, column + 2),
    element(tap, k, column + 3),
  );
}
