// Halves lossScale where norm is NaN or infinite; doubles it after growthSteps steps in a row where it is not.
// One invocation.
struct Params {
  growthSteps: f32,
  minimum: f32,
  maximum: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

@group(0) @binding(0) var<storage, read_write> lossScale: array<f32>;
@group(0) @binding(1) var<storage, read_write> goodSteps: array<f32>;
@group(0) @binding(2) var<storage, read> norm: array<u32>; // the bits: compilers may assume that no float is NaN or infinite

@compute @workgroup_size(1)
fn main() {
  let scale = lossScale[0];
  if ((norm[0] & 0x7f800000u) == 0x7f800000u) {
    lossScale[0] = max(0.5 * scale, params.minimum);
    goodSteps[0] = 0;
    return;
  }
  let good = goodSteps[0] + 1;
  if (good >= params.growthSteps) {
    lossScale[0] = min(2 * scale, params.maximum);
    goodSteps[0] = 0;
  } else {
    goodSteps[0] = good;
  }
}
