// Convolution as an implicit matrix product, for any window: y = relu(Σ x·filter + bias + residual), or (… + residual)·[mask > 0].
//
// An invocation computes 8 pixels × 8 output channels in registers, four inner channels a round: 16 loads of vectors for 512
// multiply-adds. Neighbouring invocations take neighbouring channels of the same pixels. Channels come in whole vectors
// and the filter as panels of filter-pack, its columns padded to a multiple of 8. Absent operands are bound to any buffer
// and not read. Results go to every storeStride-th pixel of y, which lets the phases of a strided gradient interleave.
// Traffic, from caches for the most part: x once for each 8 channels of y, the panels once for each 8 pixels.

struct Params {
  batch: u32,
  height: u32,
  width: u32,
  vectors: u32, // channels of x / 4
  tapRows: u32,
  tapColumns: u32,
  strideHeight: u32,
  strideWidth: u32,
  padTop: i32,
  padLeft: i32,
  outHeight: u32, // of this pass
  outWidth: u32,
  outVectors: u32, // channels of y / 4
  storeHeight: u32, // of y
  storeWidth: u32,
  storeStride: u32,
  storeTop: u32,
  storeLeft: u32,
  hasBias: u32,
  hasResidual: u32,
  hasMask: u32,
  relu: u32, // 0 or 1, like the three above
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> panels: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<vec4f>;
@group(0) @binding(4) var<storage, read> mask: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

/** Where a pixel's window starts: index of its first vector in x, row and column. */
struct Pixel { at: i32, row: i32, column: i32 }

fn pixelOf(pixel: u32) -> Pixel {
  let image = pixel / (params.outHeight * params.outWidth);
  let row = i32(pixel / params.outWidth % params.outHeight * params.strideHeight) - params.padTop;
  let column = i32(pixel % params.outWidth * params.strideWidth) - params.padLeft;
  return Pixel(((i32(image * params.height) + row) * i32(params.width) + column) * i32(params.vectors), row, column);
}

/** One tap of a pixel: its first vector in x, or a negative index beyond the edge. */
fn tapOf(pixel: Pixel, r: u32, s: u32) -> i32 {
  let inside = u32(pixel.row + i32(r)) < params.height && u32(pixel.column + i32(s)) < params.width;
  return select(-1, pixel.at + i32((r * params.width + s) * params.vectors), inside);
}

fn load(tap: i32, k: u32) -> vec4f {
  return select(vec4f(), x[select(0u, u32(tap) + k, tap >= 0)], tap >= 0);
}

/** Rows of four inner channels, for one vector of columns. */
fn panel(at: u32, step: u32) -> mat4x4f {
  return mat4x4f(panels[at], panels[at + step], panels[at + 2 * step], panels[at + 3 * step]);
}

fn store(pixel: u32, vector: u32, sum: vec4f) {
  if (pixel >= params.batch * params.outHeight * params.outWidth || vector >= params.outVectors) {
    return;
  }
  let image = pixel / (params.outHeight * params.outWidth);
  let row = pixel / params.outWidth % params.outHeight * params.storeStride + params.storeTop;
  let column = pixel % params.outWidth * params.storeStride + params.storeLeft;
  let at = ((image * params.storeHeight + row) * params.storeWidth + column) * params.outVectors + vector;
  var value = sum;
  if (params.hasBias != 0) {
    value += bias[vector];
  }
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

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * 64 + lane;
  let pixels = params.batch * params.outHeight * params.outWidth;
  let blocks = (params.outVectors + 1) / 2;
  let first = id / blocks * 8;
  if (first >= pixels) {
    return;
  }
  let block = id % blocks * 2;
  let last = pixels - 1;
  let p0 = pixelOf(first);
  let p1 = pixelOf(min(first + 1, last));
  let p2 = pixelOf(min(first + 2, last));
  let p3 = pixelOf(min(first + 3, last));
  let p4 = pixelOf(min(first + 4, last));
  let p5 = pixelOf(min(first + 5, last));
  let p6 = pixelOf(min(first + 6, last));
  let p7 = pixelOf(min(first + 7, last));

  // Columns of a sum are pixels: sum00 and sum01 are pixels 0–3, channels 0–3 and 4–7.
  var sum00 = mat4x4f();
  var sum01 = mat4x4f();
  var sum10 = mat4x4f();
  var sum11 = mat4x4f();
  let step = blocks * 2;
  var source = block;
  for (var r = 0u; r < params.tapRows; r++) {
    for (var s = 0u; s < params.tapColumns; s++) {
      let t0 = tapOf(p0, r, s);
      let t1 = tapOf(p1, r, s);
      let t2 = tapOf(p2, r, s);
      let t3 = tapOf(p3, r, s);
      let t4 = tapOf(p4, r, s);
      let t5 = tapOf(p5, r, s);
      let t6 = tapOf(p6, r, s);
      let t7 = tapOf(p7, r, s);
      for (var k = 0u; k < params.vectors; k++) {
        let x0 = mat4x4f(load(t0, k), load(t1, k), load(t2, k), load(t3, k));
        let x1 = mat4x4f(load(t4, k), load(t5, k), load(t6, k), load(t7, k));
        let w0 = panel(source, step);
        let w1 = panel(source + 1, step);
        sum00 += w0 * x0;
        sum01 += w1 * x0;
        sum10 += w0 * x1;
        sum11 += w1 * x1;
        source += 4 * step;
      }
    }
  }

  // One copy of the epilogue in a loop: sixteen take drivers twice as long to compile.
  let sums = array<mat4x4f, 4>(sum00, sum10, sum01, sum11);
  for (var i = 0u; i < 16; i++) {
    store(first + i % 8, block + i / 8, sums[i / 4][i % 4]);
  }
}
