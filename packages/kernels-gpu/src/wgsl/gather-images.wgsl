// x = images of a data set of bytes, by index: values[byte] − mean, then shifted and flipped, clamped to the image's edges.
// A shift is the sum of three floats. Its whole part and its fraction are kept apart, so that a weight is exact to 2⁻²⁴ in
// whatever column, and the choice of the nearest pixel is the host's.
// Invocation: one element of x. Traffic: up to four bytes and means an element, x once.
struct Params {
  count: u32, // elements of x
  images: i32,
  height: i32,
  width: i32,
  channels: i32,
}
@group(1) @binding(0) var<uniform> params: Params;

override nearest: bool;

@group(0) @binding(0) var<storage, read> bytes: array<u32>;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> indices: array<i32>;
@group(0) @binding(4) var<storage, read> transforms: array<f32>;
@group(0) @binding(5) var<storage, read_write> x: array<f32>;

// Where a coordinate falls between pixels: the two of them, and the weight of the second.
struct Place {
  first: i32,
  second: i32,
  weight: f32,
}

// `position` + the shift at `at`, within 0 to `last`.
fn place(position: i32, at: u32, last: i32) -> Place {
  // Beyond the image's size all shifts are alike, and the sum stays within i32.
  let limit = f32(last) + 2f;
  let high = clamp(transforms[at], -limit, limit);
  let inside = high == transforms[at];
  let rest = select(0f, transforms[at + 1u] + transforms[at + 2u], inside);
  let whole = floor(high);
  // From the middle of the pixel, near which the nearest one is chosen: there the sum is exact.
  let fromMiddle = (high - whole - 0.5) + rest;
  var first = position + i32(whole);
  if (nearest) {
    first = clamp(first + select(0, 1, fromMiddle >= 0f), 0, last);
    return Place(first, first, 0f);
  }
  var weight = (high - whole) + rest;
  if (weight < 0f) {
    first -= 1;
    weight += 1f;
  }
  if (first < 0 || first >= last) {
    first = clamp(first, 0, last);
    return Place(first, first, 0f);
  }
  return Place(first, first + 1, weight);
}

// The normalized pixel at an offset into an image that begins at byte `image`.
fn pixel(image: u32, offset: i32) -> f32 {
  let at = image + u32(offset);
  let byte = (bytes[at >> 2u] >> ((at & 3u) * 8u)) & 255u;
  return values[byte] - mean[offset];
}

// Exactly a where the weight is 0.
fn blend(a: f32, b: f32, weight: f32) -> f32 {
  return select(a * (1f - weight) + b * weight, a, weight == 0f);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= params.count) {
    return;
  }
  let c = i32(at) % params.channels;
  let column = i32(at) / params.channels % params.width;
  let row = i32(at) / (params.channels * params.width) % params.height;
  let size = params.channels * params.width * params.height;
  let n = at / u32(size);
  let image = u32(clamp(indices[n], 0, params.images - 1)) * u32(size);
  let transform = n * 7u;
  let flip = transforms[transform + 6u] != 0f;
  let rows = place(row, transform, params.height - 1);
  let columns = place(select(column, params.width - 1 - column, flip), transform + 3u, params.width - 1);
  let top = rows.first * params.width;
  let bottom = rows.second * params.width;
  let left = blend(
    pixel(image, (top + columns.first) * params.channels + c),
    pixel(image, (bottom + columns.first) * params.channels + c),
    rows.weight,
  );
  let right = blend(
    pixel(image, (top + columns.second) * params.channels + c),
    pixel(image, (bottom + columns.second) * params.channels + c),
    rows.weight,
  );
  x[at] = blend(left, right, columns.weight);
}
