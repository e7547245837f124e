/** Settings of a run, from the environment. */
export interface Settings {
  /** Random cases of each op and composed graph: SKIPLANE_CONFORMANCE_RUNS. */
  readonly runs: number;
  /** fast-check's seed: SKIPLANE_CONFORMANCE_SEED. */
  readonly seed: number;
  /** fast-check's path to one failing case: SKIPLANE_CONFORMANCE_PATH. */
  readonly path: string | undefined;
}

const prefix = 'SKIPLANE_CONFORMANCE_';

export function readSettings(): Settings {
  // Browsers have no process.
  const environment = typeof process === 'undefined' ? {} : process.env;
  const integer = (name: string, otherwise: number): number => {
    const text = environment[prefix + name];
    if (text === undefined || text === '') return otherwise;
    const value = Number(text);
    if (!Number.isInteger(value)) throw new Error(`${prefix}${name} is '${text}', but must be an integer`);
    return value;
  };
  return { runs: integer('RUNS', 12), seed: integer('SEED', 1), path: environment[`${prefix}PATH`] };
}

/** How to run one failing random case again. */
export function repeatHint(id: string, seed: number, path: string | null): string {
  return `repeat with ${prefix}SEED=${seed} ${prefix}PATH=${path ?? ''} npx vitest run -t '${id}'`;
}
