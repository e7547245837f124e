import {
  BindingError,
  DeviceLostError,
  DisposedError,
  FormatError,
  GraphError,
  GuardError,
  NumericError,
  OutOfMemoryError,
  ShapeError,
  SkiplaneError,
  UnsupportedError,
  ValueError,
} from '@skiplane/core';

/** An error as it can be sent to another thread, which keeps neither its class nor the fields that classes add. */
export type SentError =
  | {
      readonly kind: 'skiplane';
      readonly code: string;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
      readonly stack: string | undefined;
      readonly cause: SentError | undefined;
    }
  | { readonly kind: 'other'; readonly error: unknown };

/** The classes by their codes, which stay the same when names are shortened. */
const classes: Readonly<
  Record<string, new (message: string, details: Readonly<Record<string, unknown>>) => SkiplaneError>
> = {
  SHAPE: ShapeError,
  GRAPH: GraphError,
  BINDING: BindingError,
  DISPOSED: DisposedError,
  UNSUPPORTED: UnsupportedError,
  OUT_OF_MEMORY: OutOfMemoryError,
  DEVICE_LOST: DeviceLostError,
  GUARD: GuardError,
  VALUE: ValueError,
  FORMAT: FormatError,
  NUMERIC: NumericError,
};

export function toSent(error: unknown): SentError {
  if (!(error instanceof SkiplaneError)) return { kind: 'other', error };
  const { code, message, details, stack, cause } = error;
  return { kind: 'skiplane', code, message, details, stack, cause: cause === undefined ? undefined : toSent(cause) };
}

/** The error with its class, code, details and cause, and with the stack of the thread that threw it. */
export function fromSent(sent: SentError): unknown {
  if (sent.kind === 'other') return sent.error;
  const { code, message, details, stack } = sent;
  const KnownError = classes[code];
  const error = KnownError === undefined ? new SkiplaneError(code, message, details) : new KnownError(message, details);
  if (stack !== undefined) error.stack = stack;
  if (sent.cause !== undefined) error.cause = fromSent(sent.cause);
  return error;
}
