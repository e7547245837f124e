import type { SentError } from './sent-error.ts';

/** A request to the worker. */
export interface Call {
  /** Unique among those of one worker. */
  readonly id: number;
  /** A name in the worker's table of requests. */
  readonly name: string;
  readonly input: unknown;
}

/** What the worker answers, once for each call. */
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: SentError };

/** The worker needs a binary of the kernels; the answer goes to the port. */
export interface BinaryRequest {
  readonly binary: string;
  readonly port: MessagePort;
}

export type SentBinary = { readonly deflated: string } | { readonly error: SentError };
