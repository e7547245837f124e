import type { Readable } from 'node:stream';
import { EnvHttpProxyAgent, interceptors, request } from 'undici';

export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  /** The bytes as sent: a .gz that the server labels as an encoding stays a .gz. */
  readonly body: Readable;
}

/** A try that failed on the way; `temporary` when another one may succeed. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly temporary: boolean;
  constructor(message: string, temporary: boolean, cause?: unknown) {
    super(message, { cause });
    this.temporary = temporary;
  }
}

/** Codes of failures that may pass by themselves, in words. */
const temporaryFailures: Readonly<Record<string, string>> = {
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the connection was cut',
  UND_ERR_ABORTED: 'the connection was cut',
  UND_ERR_CONNECT_TIMEOUT: 'the server cannot be reached in time',
  UND_ERR_HEADERS_TIMEOUT: 'the server does not answer',
  UND_ERR_BODY_TIMEOUT: 'the server stopped sending',
  ETIMEDOUT: 'the server cannot be reached in time',
  EAI_AGAIN: 'the name of the server cannot be looked up now',
};

const lastingFailures: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name of the server is not known; is there a network?',
  ECONNREFUSED: 'the server refuses connections',
  ENETUNREACH: 'there is no network',
  EHOSTUNREACH: 'there is no way to the server',
};

/** Sends a GET that follows redirects and honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY. @throws {NetworkError} */
export async function get(url: string, headers: Record<string, string>, signal?: AbortSignal): Promise<HttpAnswer> {
  const timeout = 30_000;
  const agent = new EnvHttpProxyAgent({ headersTimeout: timeout, bodyTimeout: timeout, connections: 1 });
  try {
    const answer = await request(url, {
      headers: { 'user-agent': 'skiplane', 'accept-encoding': 'identity', ...headers },
      dispatcher: agent.compose(interceptors.redirect({ maxRedirections: 5 })),
      ...(signal && { signal }),
    });
    answer.body.once('close', () => void agent.destroy());
    // Whoever reads the body gets its errors from the reading; a body that is dropped may report its own abort to nobody.
    answer.body.on('error', () => undefined);
    return {
      status: answer.statusCode,
      header: (name) => [answer.headers[name]].flat()[0],
      body: answer.body,
    };
  } catch (error) {
    await agent.destroy();
    throw networkError(error, signal);
  }
}

/** The reason of a failed request or body, in words. An interrupt is passed on as it is. */
export function networkError(error: unknown, signal?: AbortSignal): Error {
  if (signal?.aborted) return signal.reason instanceof Error ? signal.reason : new Error('interrupted');
  const code = codeOf(error);
  const temporary = temporaryFailures[code];
  if (temporary !== undefined) return new NetworkError(temporary, true, error);
  const message = lastingFailures[code] ?? (error instanceof Error ? error.message : String(error));
  return new NetworkError(message, false, error);
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : '';
}
