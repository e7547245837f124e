import { signal } from '@preact/signals';

/** What the server of this page has beside it. A web site has nothing: its `local/info.json` says so. */
export interface LocalInfo {
  /** An archive of CIFAR-10; null where there is none. */
  readonly cifar10: { readonly url: string; readonly bytes: number } | null;
  /** A run on the command line that is watched here. */
  readonly run: { readonly name: string; readonly events: string } | null;
}

export const local = signal<LocalInfo>({ cifar10: null, run: null });

/** Asks the server. One that does not answer has nothing. */
export async function askServer(): Promise<LocalInfo> {
  const response = await fetch('local/info.json');
  if (response.ok) local.value = (await response.json()) as LocalInfo;
  return local.value;
}
