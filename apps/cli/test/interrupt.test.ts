import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { listenForInterrupt } from '../src/interrupt.ts';

const said: string[] = [];
const listen = (): ReturnType<typeof listenForInterrupt> =>
  listenForInterrupt('Stopping.', (text) => void said.push(text.trim()));
let now = 0;

beforeEach(() => {
  said.length = 0;
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('listenForInterrupt', () => {
  test('the first Ctrl-C aborts, the second quits at once', () => {
    const interrupt = listen();
    expect([interrupt.exitCode, interrupt.signal.aborted]).toEqual([undefined, false]);
    process.emit('SIGINT');
    expect([interrupt.exitCode, interrupt.signal.aborted, said]).toEqual([130, true, ['Stopping.']]);
    now += 600;
    expect(() => process.emit('SIGINT')).toThrow('exit 130');
    interrupt.release();
  });

  test('one Ctrl-C that npm passes on a second time counts once', () => {
    const interrupt = listen();
    process.emit('SIGINT');
    now += 50;
    process.emit('SIGINT');
    expect(said).toHaveLength(1);
    interrupt.release();
  });

  test('SIGTERM has an exit code of its own', () => {
    const interrupt = listen();
    process.emit('SIGTERM');
    expect(interrupt.exitCode).toBe(143);
    interrupt.release();
  });

  test('after release the signals have their usual effect again', () => {
    const before = [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')];
    listen().release();
    expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual(before);
  });
});
