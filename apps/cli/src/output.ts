type Listener = () => void;

let onBrokenPipe: Listener | undefined;

/** Writes one line of results to stdout. */
export function printLine(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** Writes one JSON value on one line of stdout. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

/** Writes one line of notes to stderr, where it does not mix with results. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** True when a person watches the stream and its colours are wanted. */
export function hasColors(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && stream.hasColors();
}

/** When a reader such as `head` closes the pipe, leave without a word; a command that has to save first says so. */
export function closeQuietlyOnBrokenPipe(): void {
  process.stdout.on('error', leaveOnBrokenPipe);
  process.stderr.on('error', leaveOnBrokenPipe);
}

function leaveOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  if (onBrokenPipe === undefined) process.exit(0);
  onBrokenPipe();
}

/** Replaces the exit on a closed pipe until the returned function is called. */
export function handleBrokenPipe(listener: Listener): Listener {
  onBrokenPipe = listener;
  return () => {
    onBrokenPipe = undefined;
  };
}
