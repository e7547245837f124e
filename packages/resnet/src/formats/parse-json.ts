import { fileError } from './model-file.ts';

/** JSON out of a file. @throws {FormatError} when it is none */
export function parseJson(format: string, what: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw fileError(format, `its '${what}' is no JSON text`, undefined, error);
  }
}
