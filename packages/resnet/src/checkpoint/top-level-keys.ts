/** Codes of quotes, backslashes, commas, spaces, braces and brackets. */
const [quote, backslash, comma, space] = [0x22, 0x5c, 0x2c, 0x20];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * The keys of a JSON object in the order of the text, duplicates included, which `JSON.parse` would drop.
 * @param text  a JSON object that `JSON.parse` accepts
 */
export function topLevelKeys(text: string): readonly string[] {
  const keys: string[] = [];
  let depth = 0;
  // The last character that is neither white space nor inside a string: what follows '{' or ',' in an object is a key.
  let previous = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character <= space) continue;
    if (character === quote) {
      const end = endOfString(text, at);
      if (depth === 1 && (previous === openBrace || previous === comma))
        keys.push(JSON.parse(text.slice(at, end)) as string);
      at = end - 1;
    } else if (character === openBrace || character === openBracket) depth++;
    else if (character === closeBrace || character === closeBracket) depth--;
    previous = character;
  }
  return keys;
}

/** Index behind the closing quote of the string that begins at `from`. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); ; at = text.indexOf('"', at + 1)) {
    let first = at;
    while (text.charCodeAt(first - 1) === backslash) first--;
    if ((at - first) % 2 === 0) return at + 1;
  }
}
