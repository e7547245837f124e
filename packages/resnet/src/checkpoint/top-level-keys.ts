/**
 * The keys of a JSON object in the order of the text, duplicates included, which `JSON.parse` would drop.
 * @param text  a JSON object that `JSON.parse` accepts
 */
export function topLevelKeys(text: string): readonly string[] {
  const keys: string[] = [];
  let depth = 0;
  // The last character that is neither white space nor inside a string: what follows '{' or ',' in an object is a key.
  let previous = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '"') {
      const end = endOfString(text, at);
      if (depth === 1 && (previous === '{' || previous === ',')) keys.push(JSON.parse(text.slice(at, end)) as string);
      at = end - 1;
    } else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    if (character.trim() !== '') previous = character;
  }
  return keys;
}

/** Index behind the closing quote of the string that begins at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}
