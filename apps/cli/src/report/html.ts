import { htmlEscape } from 'escape-goat';

/** A piece of HTML, as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | readonly Html[] | string | number | null;

/** HTML out of a template: what is filled in is text and is escaped, unless it is HTML itself; null is nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((text, i) => (i === 0 ? text : textOf(parts[i - 1] ?? null) + text)).join(''));
}

function textOf(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(({ text }) => text).join('\n');
  return htmlEscape(String(part));
}

/** A table that scrolls sideways where it does not fit. @param textColumns  by index; the others hold numbers */
export function htmlTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  textColumns: readonly number[] = [0],
): Html {
  const kind = (column: number): string => (textColumns.includes(column) ? 'text' : 'number');
  const cells = (row: readonly string[]) => row.map((cell, i) => html`<td class="${kind(i)}">${cell}</td>`);
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${head.map((title, i) => html`<th scope="col" class="${kind(i)}">${title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${cells(row)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
