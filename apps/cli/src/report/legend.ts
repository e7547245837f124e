import type { Line } from './charts.ts';
import { html, type Html } from './html.ts';

/** Which line is which. */
export function legendOf(lines: readonly Pick<Line, 'name' | 'color' | 'dashed'>[]): Html {
  const items = lines.map(
    ({ name, color, dashed }) =>
      html`<span><i class="${dashed ? 'dashed' : 'solid'}" style="border-color: ${color}"></i>${name}</span>`,
  );
  return html`<div class="legend">${items}</div>`;
}
