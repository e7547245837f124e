import { SkiplaneError } from '@skiplane/core';

interface Element {
  /** In place of the element's type in the declaration. */
  readonly stored: string;
  readonly load: (stored: string) => string;
  readonly store: (value: string) => string;
}

/** How each element of an operand is held as f16: loads give back the type that the kernel knows. */
const elements: Readonly<Record<string, Element>> = {
  f32: { stored: 'f16', load: (stored) => `f32(${stored})`, store: (value) => `toHalf(${value})` },
  vec4f: { stored: 'vec4h', load: (stored) => `vec4f(${stored})`, store: (value) => `toHalves(${value})` },
  // The bits of an f32.
  u32: {
    stored: 'f16',
    load: (stored) => `bitcast<u32>(f32(${stored}))`,
    store: (value) => `toHalf(bitcast<f32>(${value}))`,
  },
};

/**
 * Rounding, but for what is too large, which becomes infinite in f32 first: whether the conversion itself gives infinity or the
 * largest f16 is the driver's choice, and loss scaling must see an overflow.
 */
const conversions = `
const halfInfinite: f32 = 65520; // rounds to 2^16, which no f16 is
fn toHalf(value: f32) -> f16 {
  return f16(value * select(1f, 3e38f, abs(value) >= halfInfinite));
}
fn toHalves(value: vec4f) -> vec4h {
  return vec4h(value * select(vec4f(1), vec4f(3e38), abs(value) >= vec4f(halfInfinite)));
}
`;

/**
 * A kernel's source with some operands held as f16; it computes in f32 as before.
 * @param bindings  of the operands, by number
 * @throws {SkiplaneError} where the source uses one of them in a way that is neither `name[index]` nor `name[index] = value;`
 */
export function halfStorage(source: string, bindings: readonly number[]): string {
  let text = source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, (comment) => comment.replaceAll(/[^\n]/g, ' '));
  const aliases = new Map([...text.matchAll(/\balias (\w+) ?= ?(\w+);/g)].map(([, name, type]) => [name, type]));
  const halves = new Map<string, Element>();
  for (const binding of bindings) {
    const declaration = new RegExp(String.raw`(@binding\(${binding}\) ?var<storage, ?\w+> ?(\w+): ?array<)(\w+)>;`);
    const [, head = '', name = '', type = ''] = declaration.exec(text) ?? [];
    const element = elements[aliases.get(type) ?? type];
    if (element === undefined) throw notUnderstood(`binding ${binding} is no array of f32, vec4f or u32`);
    halves.set(name, element);
    text = text.replace(declaration, () => `${head}${element.stored}>;`);
  }
  // On the first line, so that the device's messages give the lines of the file.
  return `enable f16; ${rewrite(text, halves)}${conversions}`;
}

/** Rewrites loads and stores of operands. */
function rewrite(text: string, halves: ReadonlyMap<string, Element>): string {
  let result = '';
  let done = 0;
  for (const { 0: word, index } of text.matchAll(/(?<![\w.])[A-Za-z_]\w*/g)) {
    const element = halves.get(word);
    if (element === undefined || index < done || /var<storage, ?\w+> ?$/.test(text.slice(0, index))) continue;
    const end = index + word.length;
    if (text[end] !== '[' || /(?<!&)&\s*$/.test(text.slice(0, index))) throw notUnderstood(excerpt(text, index));
    const close = closing(text, end);
    const place = `${word}[${rewrite(text.slice(end + 1, close), halves)}]`;
    result += text.slice(done, index);
    done = close + 1;
    const [assignment, part = '', operator = ''] =
      /^((?:\s*\.\w+|\[[^\]]*\])*)\s*(=(?!=)|(?:[-+*/%&|^]|<<|>>)=(?!=)|\+\+|--)/.exec(text.slice(done)) ?? [];
    if (assignment === undefined) {
      result += element.load(place);
      continue;
    }
    const semicolon = text.indexOf(';', done);
    if (part !== '' || operator !== '=' || semicolon === -1) throw notUnderstood(excerpt(text, index));
    const value = text.slice(done + assignment.length, semicolon).trim();
    result += `${place} = ${element.store(rewrite(value, halves))}`;
    done = semicolon;
  }
  return result + text.slice(done);
}

/** Index of the bracket that closes the one at `open`. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '[') depth++;
    else if (text[at] === ']' && --depth === 0) return at;
  }
  throw notUnderstood(excerpt(text, open));
}

const excerpt = (text: string, at: number): string =>
  `'${(text.slice(text.lastIndexOf('\n', at) + 1).split('\n')[0] ?? '').trim()}'`;

function notUnderstood(what: string): SkiplaneError {
  return new SkiplaneError(
    'KERNEL',
    `an operand cannot be held as f16: ${what}. Kernels must read name[index] and write name[index] = value; only.`,
  );
}
