// y = x·scale where its random word is small enough, else 0. The words are of Philox4x32-10 with one block a lane: word w of blocks
// 4g to 4g + 3 is for the w-th vector of 16 elements.
// Invocation: sixteen elements. Traffic: each operand once.
struct Params {
  count4: u32, // vectors of four elements
  keptBelow: u32,
  stream: u32,
  scale: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> random: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

// High words of products, by halves.
fn high(a: vec4u, b: u32) -> vec4u {
  let low = a & vec4u(0xffffu);
  let top = a >> vec4u(16u);
  let bLow = b & 0xffffu;
  let bTop = b >> 16u;
  let middle = top * bLow + ((low * bLow) >> vec4u(16u));
  let other = low * bTop + (middle & vec4u(0xffffu));
  return top * bTop + (middle >> vec4u(16u)) + (other >> vec4u(16u));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = ((group.y * groups.x + group.x) * 64u + lane) * 4u;
  if (first >= params.count4) {
    return;
  }
  var key = vec2u(random[0], random[1]);
  // By word.
  var words = array<vec4u, 4>(
    vec4u(first, first + 1u, first + 2u, first + 3u),
    vec4u(params.stream),
    vec4u(random[2]),
    vec4u(random[3]),
  );
  for (var round = 0u; round < 10u; round++) {
    let high0 = high(words[0], 0xd2511f53u);
    let high1 = high(words[2], 0xcd9e8d57u);
    let low0 = words[0] * 0xd2511f53u;
    let low1 = words[2] * 0xcd9e8d57u;
    words = array<vec4u, 4>(high1 ^ words[1] ^ vec4u(key.x), low1, high0 ^ words[3] ^ vec4u(key.y), low0);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  for (var w = 0u; w < 4u; w++) {
    let i = first + w;
    if (i < params.count4) {
      y[i] = select(vec4f(0), x[i] * params.scale, words[w] < vec4u(params.keptBelow));
    }
  }
}
