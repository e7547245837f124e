import { exitCodes } from './errors.ts';
import { handleBrokenPipe, note } from './output.ts';

export interface Interrupt {
  readonly signal: AbortSignal;
  /** The exit code that the interrupt asks for; undefined while nobody has interrupted. */
  readonly exitCode: number | undefined;
  /** Gives the signals back their usual effect. */
  release(): void;
}

/** A terminal sends Ctrl-C to npm and to its child, and npm passes it on: two within this time are one. */
const echoMilliseconds = 500;

/**
 * Turns the first Ctrl-C, SIGTERM or closed output pipe into an abort, so that a command can save and stop by itself;
 * the second Ctrl-C quits at once.
 *
 * @param message  said at the first signal
 * @param say      how to say it (default: on stderr); a live display has to make room first
 */
export function listenForInterrupt(message: string, say: (text: string) => void = note): Interrupt {
  const controller = new AbortController();
  let exitCode: number | undefined;
  let first = 0;

  const interrupt = (code: number, text?: string): void => {
    if (exitCode !== undefined) {
      if (performance.now() - first < echoMilliseconds) return;
      process.exit(exitCode);
    }
    exitCode = code;
    first = performance.now();
    if (text !== undefined) say(text);
    controller.abort();
  };
  // The terminal has written ^C where the cursor was.
  const onInterrupt = (): void => interrupt(exitCodes.interrupt, process.stderr.isTTY ? `\n${message}` : message);
  const onTerminate = (): void => interrupt(exitCodes.terminate, message);
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  const releasePipe = handleBrokenPipe(() => {
    if (exitCode === undefined) interrupt(exitCodes.ok);
  });

  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    release() {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
      releasePipe();
    },
  };
}
