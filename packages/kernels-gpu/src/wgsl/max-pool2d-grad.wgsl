// dx = Σ of dy over the windows in which x is the first element, in row order, that equals the maximum y.
// Invocation: one element of dx, which looks at each window over it. Traffic: x as often as windows overlap, squared.
struct Params {
  count: u32, // elements of x
  height: i32,
  width: i32,
  channels: u32,
  outHeight: i32,
  outWidth: i32,
  windowHeight: i32,
  windowWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
}
@group(1) @binding(0) var<uniform> params: Params;

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
  if (at >= params.count) {
    return;
  }
  let c = at % params.channels;
  let position = i32(at / params.channels);
  let n = position / (params.width * params.height);
  let h = (position / params.width) % params.height;
  let w = position % params.width;
  let own = plainBits(x[at]);
  // Windows over row h: i·stride − pad ≤ h < i·stride − pad + size. Numerators are at least 0, where division rounds down.
  let firstI = max(h + params.padTop - params.windowHeight + params.strideHeight, 0) / params.strideHeight;
  let lastI = min((h + params.padTop) / params.strideHeight, params.outHeight - 1);
  let firstJ = max(w + params.padLeft - params.windowWidth + params.strideWidth, 0) / params.strideWidth;
  let lastJ = min((w + params.padLeft) / params.strideWidth, params.outWidth - 1);
  var sum = 0f;
  for (var i = firstI; i <= lastI; i++) {
    for (var j = firstJ; j <= lastJ; j++) {
      let output = u32((n * params.outHeight + i) * params.outWidth + j) * params.channels + c;
      if (own == plainBits(y[output]) && isFirst(n, h, w, c, i * params.strideHeight - params.padTop, j * params.strideWidth - params.padLeft, own)) {
        sum += dy[output];
      }
    }
  }
  dx[at] = sum;
}

// Whether no earlier element of the window at (top, left) has these bits.
fn isFirst(n: i32, h: i32, w: i32, c: u32, top: i32, left: i32, own: u32) -> bool {
  for (var row = max(top, 0); row <= h; row++) {
    let end = select(min(left + params.windowWidth, params.width), w, row == h);
    for (var column = max(left, 0); column < end; column++) {
      if (plainBits(x[u32((n * params.height + row) * params.width + column) * params.channels + c]) == own) {
        return false;
      }
    }
  }
  return true;
}
