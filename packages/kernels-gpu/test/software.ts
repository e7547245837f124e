import { UnsupportedError } from '@skiplane/core';
import { openDevice } from '../src/device.ts';
import type { SoftwareDriver } from '../src/index.ts';

interface Driver {
  readonly software: SoftwareDriver;
  /** Random cases of each op: LLVM takes long to compile a kernel, and every shape is one. */
  readonly runs: number;
  /** Milliseconds for one case. */
  readonly timeout: number;
}

// Two drivers that share no code: what is right on one by luck shows on the other.
const drivers: readonly Driver[] = [
  { software: 'swiftshader', runs: 8, timeout: 120_000 },
  { software: 'llvmpipe', runs: 1, timeout: 600_000 },
];

/** The software drivers that run here; says of each other one why it does not. @throws when none does on Linux x64 */
export async function softwareDrivers(): Promise<readonly Driver[]> {
  const found: Driver[] = [];
  for (const driver of drivers) {
    const reason = await missing(driver.software);
    if (reason === undefined) found.push(driver);
    else console.log(`gpu on ${driver.software}: left out, since ${reason}`);
  }
  // Here npm has installed one, so that no run is green because all was left out.
  if (found.length === 0 && process.platform === 'linux' && process.arch === 'x64') {
    throw new Error('no software driver runs here: install @sparticuz/chromium.');
  }
  return found;
}

/** Why a software driver cannot be had here; undefined where it can. */
async function missing(software: SoftwareDriver): Promise<string | undefined> {
  try {
    const { device } = await openDevice({ software });
    device.destroy();
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedError) return error.message;
    throw error;
  }
}
