type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

/** The message of the error that `body` throws, which must be of the class. */
export function messageOf<E extends Error>(errorClass: ErrorClass<E>, body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof errorClass) return error.message;
    throw error;
  }
  return 'nothing was thrown';
}
