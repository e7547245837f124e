/**
 * Every error of the library: what was asked, the values, the rule, the next step.
 * `code` is stable; the values are also fields of `details`.
 */
export class SkiplaneError extends Error {
  /** Said by each class: bundlers shorten the names of classes. */
  override name = 'SkiplaneError';
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

/** Shapes or element types that do not agree. */
export class ShapeError extends SkiplaneError {
  override name = 'ShapeError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super('SHAPE', message, details);
  }
}

/** A graph that breaks a rule: unknown values, two values of one name, a read after an update. */
export class GraphError extends SkiplaneError {
  override name = 'GraphError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super('GRAPH', message, details);
  }
}

/** Named values without a tensor, or a tensor that does not fit its value; all of them in one error. */
export class BindingError extends SkiplaneError {
  override name = 'BindingError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super('BINDING', message, details);
  }
}

/** Use of a tensor, program or backend after `dispose`. */
export class DisposedError extends SkiplaneError {
  override name = 'DisposedError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super('DISPOSED', message, details);
  }
}

/** A backend, or something it needs, that is not to be had here. */
export class UnsupportedError extends SkiplaneError {
  override name = 'UnsupportedError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>, cause?: unknown) {
    super('UNSUPPORTED', message, details, cause);
  }
}

/** More memory asked for than the backend can give. */
export class OutOfMemoryError extends SkiplaneError {
  override name = 'OutOfMemoryError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super('OUT_OF_MEMORY', message, details);
  }
}

/** A device that is gone: unplugged, reset by its driver, or taken away by the operating system. What it held is lost. */
export class DeviceLostError extends SkiplaneError {
  override name = 'DeviceLostError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super('DEVICE_LOST', message, details);
  }
}

/** A kernel that wrote outside its operands, found by `compile(…, { guard: true })`. */
export class GuardError extends SkiplaneError {
  override name = 'GuardError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super('GUARD', message, details);
  }
}

/** A value outside its allowed range, in options or data. */
export class ValueError extends SkiplaneError {
  override name = 'ValueError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super('VALUE', message, details);
  }
}

/** Data that breaks its format: wrong sizes, truncated, not what its header says. */
export class FormatError extends SkiplaneError {
  override name = 'FormatError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>, cause?: unknown) {
    super('FORMAT', message, details, cause);
  }
}

/** Arithmetic that left the finite numbers, such as a NaN loss. */
export class NumericError extends SkiplaneError {
  override name = 'NumericError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super('NUMERIC', message, details);
  }
}
