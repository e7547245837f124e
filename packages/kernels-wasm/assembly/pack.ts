import { PackPanels } from './generated/records';

/**
 * Packs a filter or a matrix into panels of 16 columns: panels[columns/16][taps·inner][16], the last panel filled up with zeros.
 *
 * Element (tap, k, j) is source[tap·tapStride + k·innerStride + j·columnStride]; the taps are tapRows × tapColumns,
 * row rowStart + u·rowStep, column columnStart + v·columnStep of a filter `filterWidth` wide. Forward: all taps in order,
 * inner = inChannels. Backward: every stride-th tap, reversed, inner = outChannels. A matrix: one tap. Task: one panel.
 */
export function packPanels(p: PackPanels, task: i32): void {
  const first = task << 4;
  const valid = min(16, p.columns - first);
  const innerStride = <usize>p.innerStride << 2, columnStride = <usize>p.columnStride << 2;
  let target = p.panels + ((<usize>(task * p.tapRows * p.tapColumns * p.inner)) << 6);
  for (let u = 0; u < p.tapRows; u++) {
    for (let v = 0; v < p.tapColumns; v++) {
      const tap = (p.rowStart + u * p.rowStep) * p.filterWidth + p.columnStart + v * p.columnStep;
      let source = p.source + (<usize>(tap * p.tapStride + first * p.columnStride) << 2);
      for (let k = 0; k < p.inner; k++) {
        let s = source;
        for (let j = 0; j < valid; j++) {
          store<f32>(target + (<usize>j << 2), load<f32>(s));
          s += columnStride;
        }
        for (let j = valid; j < 16; j++) store<f32>(target + (<usize>j << 2), 0);
        source += innerStride;
        target += 64;
      }
    }
  }
}
