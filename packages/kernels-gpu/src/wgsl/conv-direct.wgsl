// Convolution as an implicit matrix product, for any window: y = relu(Σ x·filter + bias + residual), or (… + residual)·[mask > 0].
//
// An invocation computes 8 pixels × 8 output channels in registers, four inner channels a round: 16 loads of vectors for 512
// multiply-adds. Neighbouring invocations take neighbouring channels of the same pixels. Channels come in whole vectors
// and the filter as panels of filter-pack, its columns padded to a multiple of 8. Absent operands are bound to any buffer
// and not read. Results go to every storeStride-th pixel of y, which lets the phases of a strided gradient interleave.
// Traffic, from caches for the most part: x once for each 8 channels of y, the panels once for each 8 pixels.

override batch: u32;
override height: u32;
override width: u32;
override vectors: u32; // channels of x / 4
override tapRows: u32;
override tapColumns: u32;
override strideHeight: u32;
override strideWidth: u32;
override padTop: i32;
override padLeft: i32;
override outHeight: u32; // of this pass
override outWidth: u32;
override outVectors: u32; // channels of y / 4
override storeHeight: u32; // of y
override storeWidth: u32;
override storeStride: u32;
override storeTop: u32;
override storeLeft: u32;
override hasBias: bool;
override hasResidual: bool;
override hasMask: bool;
override relu: bool;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> panels: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<vec4f>;
@group(0) @binding(4) var<storage, read> mask: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4f>;

/** Where a pixel's window starts: index of its first vector in x, row and column. */
struct Pixel { at: i32, row: i32, column: i32 }

fn pixelOf(pixel: u32) -> Pixel {
  let image = pixel / (outHeight * outWidth);
  let row = i32(pixel / outWidth % outHeight * strideHeight) - padTop;
  let column = i32(pixel % outWidth * strideWidth) - padLeft;
  return Pixel(((i32(image * height) + row) * i32(width) + column) * i32(vectors), row, column);
}

/** One tap of a pixel: its first vector in x, or a negative index beyond the edge. */
fn tapOf(pixel: Pixel, r: u32, s: u32) -> i32 {
  let inside = u32(pixel.row + i32(r)) < height && u32(pixel.column + i32(s)) < width;
  return select(-1, pixel.at + i32((r * width + s) * vectors), inside);
}

fn load(tap: i32, k: u32) -> vec4f {
  return select(vec4f(), x[select(0u, u32(tap) + k, tap >= 0)], tap >= 0);
}

/** Rows of four inner channels, for one vector of columns. */
fn panel(at: u32, step: u32) -> mat4x4f {
  return mat4x4f(panels[at], panels[at + step], panels[at + 2 * step], panels[at + 3 * step]);
}

fn store(pixel: u32, vector: u32, sum: vec4f) {
  if (pixel >= batch * outHeight * outWidth || vector >= outVectors) {
    return;
  }
  let image = pixel / (outHeight * outWidth);
  let row = pixel / outWidth % outHeight * storeStride + storeTop;
  let column = pixel % outWidth * storeStride + storeLeft;
  let at = ((image * storeHeight + row) * storeWidth + column) * outVectors + vector;
  var value = sum;
  if (hasBias) {
    value += bias[vector];
  }
  if (hasResidual) {
    value += residual[at];
  }
  if (hasMask) {
    value = select(vec4f(), value, mask[at] > vec4f());
  }
  if (relu) {
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
  let pixels = batch * outHeight * outWidth;
  let blocks = (outVectors + 1) / 2;
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
  for (var r = 0u; r < tapRows; r++) {
    for (var s = 0u; s < tapColumns; s++) {
      let t0 = tapOf(p0, r, s);
      let t1 = tapOf(p1, r, s);
      let t2 = tapOf(p2, r, s);
      let t3 = tapOf(p3, r, s);
      let t4 = tapOf(p4, r, s);
      let t5 = tapOf(p5, r, s);
      let t6 = tapOf(p6, r, s);
      let t7 = tapOf(p7, r, s);
      for (var k = 0u; k < vectors; k++) {
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

  store(first, block, sum00[0]);
  store(first + 1, block, sum00[1]);
  store(first + 2, block, sum00[2]);
  store(first + 3, block, sum00[3]);
  store(first + 4, block, sum10[0]);
  store(first + 5, block, sum10[1]);
  store(first + 6, block, sum10[2]);
  store(first + 7, block, sum10[3]);
  store(first, block + 1, sum01[0]);
  store(first + 1, block + 1, sum01[1]);
  store(first + 2, block + 1, sum01[2]);
  store(first + 3, block + 1, sum01[3]);
  store(first + 4, block + 1, sum11[0]);
  store(first + 5, block + 1, sum11[1]);
  store(first + 6, block + 1, sum11[2]);
  store(first + 7, block + 1, sum11[3]);
}
