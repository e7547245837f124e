import type { Backend } from '@skiplane/core';
import { describeMachine, type Machine } from '@skiplane/resnet/node';
import prettyBytes from 'pretty-bytes';
import { backendNames, type BackendName } from '../backend-names.ts';
import { openers, type BackendSettings } from '../backends.ts';
import { errorMessage, exitCodes } from '../errors.ts';
import { printJson, printLine } from '../output.ts';
import { renderTable } from '../render/table.ts';
import { formatRatio } from './format.ts';
import { checkEveryOp, type CheckResult } from './self-check.ts';

export interface DoctorFlags extends BackendSettings {
  readonly json?: true | undefined;
}

interface DoctorMachine extends Machine {
  readonly sharedMemory: boolean;
}

interface BackendState {
  readonly name: string;
  readonly runs: boolean;
  /** The device in words, or why it does not run. */
  readonly device: string;
  readonly threads: number;
  readonly features: readonly string[];
  readonly downgrades: readonly { readonly feature: string; readonly reason: string }[];
  readonly checks: readonly CheckResult[];
}

/**
 * `skiplane doctor`. Returns the exit code: 1 when an operation is wrong or a backend does not run; the gpu
 * backend need not, unless an adapter was asked for.
 */
export async function doctor({ threads, gpu, json }: DoctorFlags): Promise<number> {
  const machine: DoctorMachine = { ...describeMachine(), sharedMemory: typeof SharedArrayBuffer === 'function' };
  const backends: BackendState[] = [];
  for (const name of backendNames) {
    if (name !== 'auto') backends.push(await examine(name, name === 'wasm' ? { threads } : { gpu }));
  }
  const optional = (name: string): boolean => name === 'gpu' && gpu === undefined;
  const healthy = backends.every(({ name, runs, checks }) => (runs || optional(name)) && checks.every(({ ok }) => ok));
  if (json) printJson({ healthy, machine, backends });
  else print(machine, backends, healthy);
  return healthy ? exitCodes.ok : exitCodes.failure;
}

async function examine(name: Exclude<BackendName, 'auto'>, settings: BackendSettings): Promise<BackendState> {
  try {
    using backend: Backend = await openers[name](settings);
    const { device, threads: count, features, downgrades } = backend.info;
    // The oracle is not checked against itself.
    const checks = name === 'reference' ? [] : await checkEveryOp(backend);
    return { name, runs: true, device, threads: count, features, downgrades, checks };
  } catch (error) {
    return { name, runs: false, device: errorMessage(error), threads: 0, features: [], downgrades: [], checks: [] };
  }
}

function print(machine: DoctorMachine, backends: readonly BackendState[], healthy: boolean): void {
  printLine(`Node ${machine.node}, V8 ${machine.v8}, ${machine.platform}`);
  printLine(`${machine.cpu}, ${machine.cores} cores, ${prettyBytes(machine.memoryBytes, { binary: true })} of memory`);
  printLine(`Shared memory for threads: ${machine.sharedMemory ? 'yes' : 'no'}`);
  for (const backend of backends) {
    printLine();
    printLine(`Backend ${backend.name}: ${backend.runs ? backend.device : `does not run: ${backend.device}`}`);
    if (backend.features.length > 0) printLine(`  with ${backend.features.join(', ')}`);
    for (const { feature, reason } of backend.downgrades) printLine(`  without ${feature}: ${reason}`);
    if (backend.checks.length > 0) printLine(`\n${renderChecks(backend.checks)}`);
  }
  printLine();
  printLine(healthy ? 'All is well.' : 'Something is wrong: see above.');
}

function renderChecks(checks: readonly CheckResult[]): string {
  return renderTable({
    head: ['Operation', 'Error/bound', 'Result'],
    align: ['left', 'right', 'left'],
    rows: checks.map(({ op, ratio, ok, problem }) => [
      op,
      ratio === null ? '-' : formatRatio(ratio),
      problem === null ? 'right' : ok ? 'not here' : `WRONG: ${problem}`,
    ]),
  });
}
