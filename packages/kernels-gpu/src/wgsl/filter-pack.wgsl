// Packs a filter as a matrix of taps × inner channels by columns: panels[tap][innerPadded][columnVectors], zero where padded.
//
// Columns and inner channels are addressed with strides, and taps with a start and a step along both axes, so that the
// gradient with respect to the input gets flipped taps, every stride-th of them, with channels in exchanged roles.
// One invocation writes one vector of four columns. Traffic: the taps once, the panels once.

override tapRows: u32;
override tapColumns: u32;
override rowStart: i32;
override rowStep: i32;
override columnStart: i32;
override columnStep: i32;
override filterWidth: i32;
override tapStride: u32;
override inner: u32;
override innerStride: u32;
override innerPadded: u32;
override columns: u32;
override columnStride: u32;
override columnVectors: u32;

@group(0) @binding(0) var<storage, read> filters: array<f32>;
@group(0) @binding(1) var<storage, read_write> panels: array<vec4f>;

fn element(tap: u32, k: u32, column: u32) -> f32 {
  let row = rowStart + rowStep * i32(tap / tapColumns);
  let index = u32(row * filterWidth + columnStart + columnStep * i32(tap % tapColumns));
  let inside = k < inner && column < columns;
  let at = index * tapStride + k * innerStride + column * columnStride;
  return select(0.0, filters[select(0u, at, inside)], inside);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  if (id >= tapRows * tapColumns * innerPadded * columnVectors) {
    return;
  }
  let column = id % columnVectors * 4;
  let k = id / columnVectors % innerPadded;
  let tap = id / (columnVectors * innerPadded);
  panels[id] = vec4f(
    element(tap, k, column),
    element(tap, k, column + 1),
    element(tap, k, column + 2),
    element(tap, k, column + 3),
  );
}
