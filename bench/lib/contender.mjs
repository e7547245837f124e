import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Stopped processes do not see the end of their stdin, so none may outlive this one. */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/** A peer's process for one job. It is stopped but while it answers: thread pools of some go on spinning after a run. */
export class Contender {
  #child;
  #lines;
  #errors = [];

  /** @param command  program and arguments; `environment` is added to this process's own */
  constructor([program, ...args], environment = {}) {
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
    running.add(this.#child);
    this.#child.once('close', () => running.delete(this.#child));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stderr.setEncoding('utf8').on('data', (text) => this.#errors.push(text));
    this.#child.once('error', (error) => this.#errors.push(String(error)));
    this.#child.stdin.on('error', (error) => this.#errors.push(String(error)));
  }

  /** @throws {Error} when the peer reports one or ends */
  async ask(request) {
    this.#signal('SIGCONT');
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the process ended (${this.#exit()}): ${this.#errors.join('').trim().slice(-2000)}`);
    this.#signal('SIGSTOP');
    const answer = JSON.parse(value);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  /** Ends the process, with force where it does not end by itself. */
  async end() {
    if (!running.has(this.#child) || this.#child.pid === undefined) return;
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#signal('SIGCONT');
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await closed;
    clearTimeout(timer);
  }

  #signal(name) {
    if (process.platform !== 'win32') this.#child.kill(name);
  }

  #exit() {
    const { exitCode, signalCode } = this.#child;
    return signalCode ?? (exitCode === null ? 'still closing' : `code ${exitCode}`);
  }
}

/** How a peer's file is started. */
export function commandOf(file) {
  const path = fileURLToPath(new URL(`../peers/${file}`, import.meta.url));
  return file.endsWith('.py') ? [process.env.PYTHON ?? 'python3', path] : [process.execPath, path];
}
