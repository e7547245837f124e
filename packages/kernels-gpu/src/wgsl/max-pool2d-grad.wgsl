// dx = Σ of dy over the windows in which x is the first element, in row order, that equals the maximum y.
// Invocation: one element of dx, which looks at each window over it. Traffic: x as often as windows overlap, squared.
override count: u32; // elements of x
override height: i32;
override width: i32;
override channels: u32;
override outHeight: i32;
override outWidth: i32;
override windowHeight: i32;
override windowWidth: i32;
override strideHeight: i32;
override strideWidth: i32;
override padTop: i32;
override padLeft: i32;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> y: array<u32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

// Bits of a float, of both zeros the same, so that equal numbers have equal bits.
fn plainBits(bits: u32) -> u32 {
  return select(bits, 0u, bits == 0x80000000u);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= count) {
    return;
  }
  let c = at % channels;
  let position = i32(at / channels);
  let n = position / (width * height);
  let h = (position / width) % height;
  let w = position % width;
  let own = plainBits(x[at]);
  // Windows over row h: i·stride − pad ≤ h < i·stride − pad + size. Numerators are at least 0, where division rounds down.
  let firstI = max(h + padTop - windowHeight + strideHeight, 0) / strideHeight;
  let lastI = min((h + padTop) / strideHeight, outHeight - 1);
  let firstJ = max(w + padLeft - windowWidth + strideWidth, 0) / strideWidth;
  let lastJ = min((w + padLeft) / strideWidth, outWidth - 1);
  var sum = 0f;
  for (var i = firstI; i <= lastI; i++) {
    for (var j = firstJ; j <= lastJ; j++) {
      let output = u32((n * outHeight + i) * outWidth + j) * channels + c;
      if (own == plainBits(y[output]) && isFirst(n, h, w, c, i * strideHeight - padTop, j * strideWidth - padLeft, own)) {
        sum += dy[output];
      }
    }
  }
  dx[at] = sum;
}

// Whether no earlier element of the window at (top, left) has these bits.
fn isFirst(n: i32, h: i32, w: i32, c: u32, top: i32, left: i32, own: u32) -> bool {
  for (var row = max(top, 0); row <= h; row++) {
    let end = select(min(left + windowWidth, width), w, row == h);
    for (var column = max(left, 0); column < end; column++) {
      if (plainBits(x[u32((n * height + row) * width + column) * channels + c]) == own) {
        return false;
      }
    }
  }
  return true;
}
