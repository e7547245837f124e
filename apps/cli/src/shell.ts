/** A word as a POSIX shell takes it, quoted where it must be. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** How the user starts this program: through npm where it is installed in a folder, else by its name. */
export function programName(): string {
  return process.env['npm_command'] === undefined ? 'skiplane' : 'npx skiplane';
}
