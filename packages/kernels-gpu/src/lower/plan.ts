import { workspace, type Binding, type Dispatch, type Lowering } from './lowering.ts';

/** Invocations of a workgroup, in every shader. */
export const workgroupSize = 64;

/** Rows and columns of one invocation of gemm. */
export const gemmTile = { rows: 8, columns: 16 } as const;

/** Collects the kernels of one op and the workspaces between them. */
export class Plan {
  readonly #kernels: readonly string[];
  readonly #workspaces: number[] = [];
  readonly #dispatches: Dispatch[] = [];

  constructor(...kernels: readonly string[]) {
    this.#kernels = kernels;
  }

  /** A new workspace of `floats` elements. */
  workspace(floats: number): Binding {
    this.#workspaces.push(floats * 4);
    return workspace(this.#workspaces.length - 1);
  }

  add(dispatch: Dispatch): void {
    this.#dispatches.push(dispatch);
  }

  finish(): Lowering {
    return { kernels: this.#kernels, workspaces: this.#workspaces, dispatches: this.#dispatches };
  }
}
