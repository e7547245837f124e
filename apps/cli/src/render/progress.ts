import { styleText } from 'node:util';
import { hasColors } from '../output.ts';

/** Shows the latest state of a long job on stderr. */
export interface Progress {
  /** @param fraction  of the job, 0 to 1  @param text  what goes beside the bar */
  update(fraction: number, text: string): void;
  /** Takes the bar away, so that a line can be printed. */
  clear(): void;
  /** Ends the display. */
  done(): void;
}

/** The bar is redrawn at most this often. */
const redrawMilliseconds = 100;

/** A live bar on a terminal; elsewhere a plain line once in `plainSeconds`. */
export async function createProgress({ plainSeconds = 30 } = {}): Promise<Progress> {
  return process.stderr.isTTY ? await liveBar() : plainLines(plainSeconds);
}

/** For `--json` and `--quiet`: nothing at all. */
export const noProgress: Progress = { update() {}, clear() {}, done() {} };

async function liveBar(): Promise<Progress> {
  const { createLogUpdate } = await import('log-update');
  const log = createLogUpdate(process.stderr);
  const colors = hasColors(process.stderr);
  let last = Number.NEGATIVE_INFINITY;
  return {
    update(fraction, text) {
      const now = performance.now();
      if (now - last < redrawMilliseconds) return;
      last = now;
      const width = Math.min(24, Math.max(8, process.stderr.columns - text.length - 2));
      log(`${renderBar(fraction, width, colors)} ${text}`);
    },
    clear() {
      log.clear();
      last = Number.NEGATIVE_INFINITY;
    },
    done() {
      log.clear();
      log.done();
    },
  };
}

function plainLines(seconds: number): Progress {
  let last = performance.now();
  return {
    update(fraction, text) {
      const now = performance.now();
      if (now - last < seconds * 1000) return;
      last = now;
      process.stderr.write(`${String(Math.floor(fraction * 100)).padStart(3)} % ${text}\n`);
    },
    clear() {},
    done() {},
  };
}

/** A bar of `width` characters. */
export function renderBar(fraction: number, width: number, colors = false): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  const [full, rest] = ['━'.repeat(filled), '─'.repeat(width - filled)];
  return colors ? styleText('green', full) + styleText('dim', rest) : full + rest;
}
