import { DeviceLostError, DisposedError, OutOfMemoryError, SkiplaneError, type BackendMemory } from '@skiplane/core';
import type { OpenDevice } from './device.ts';
import { Pipelines } from './pipelines.ts';

/** Flags of GPUBufferUsage and GPUMapMode, which Node has no globals for. */
export const bufferUsage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
  queryResolve: 0x200,
} as const;
const mapRead = 0x1;

/** How long to wait for the loss of a device that has failed. */
const lossMilliseconds = 100;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The device and its state, shared by the tensors and programs of one backend. */
export class Context {
  readonly device: GPUDevice;
  readonly name: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly pipelines: Pipelines;
  /** Error scopes under way. */
  readonly #scopes = new Set<Promise<void>>();
  /** Until the device is lost. */
  readonly #watched: Promise<void>;
  #lost: DeviceLostError | undefined;
  #error: SkiplaneError | undefined;
  #disposed = false;
  #usedBytes = 0;
  #peakBytes = 0;
  #lastStep: Promise<void> = Promise.resolve();

  constructor({ device, name, limits }: OpenDevice) {
    this.device = device;
    this.name = name;
    this.limits = limits;
    this.pipelines = new Pipelines(device);
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      void this.#failAfterScopes(new SkiplaneError('GPU', `the device '${name}' reports: ${event.error.message}`));
    });
    this.#watched = this.#watch(device, name);
  }

  /** Notes the loss of the device. */
  async #watch({ lost }: GPUDevice, name: string): Promise<void> {
    const { reason, message } = await lost;
    this.#lost = new DeviceLostError(
      `the device '${name}' was lost (${reason}): ${message}. Open a new backend and go on from the last checkpoint.`,
      { device: name, reason, message },
    );
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** @throws {DisposedError | DeviceLostError | SkiplaneError} when the device cannot be used, or the error of an earlier call, once */
  check(action: string): void {
    this.checkUsable(action);
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
  }

  /** @throws {DisposedError | DeviceLostError} when the device cannot be used */
  checkUsable(action: string): void {
    if (this.#disposed) throw new DisposedError(`${action}: the gpu backend has been disposed.`);
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** Keeps an error for the next call: the first, since others follow from it. */
  fail(error: SkiplaneError): void {
    this.#error ??= error;
  }

  /** What no scope has caught, such as a write to a buffer that could not be had, follows from what one is about to report. */
  async #failAfterScopes(error: SkiplaneError): Promise<void> {
    await this.settled();
    this.fail(error);
  }

  /** Waits for what earlier calls have reported. */
  async settled(): Promise<void> {
    await Promise.all(this.#scopes);
  }

  /** Runs an action of the device; what it reports is kept for the next call, as `describe` tells it. */
  scope<T>(filter: GPUErrorFilter, action: () => T, describe: (message: string) => SkiplaneError): T {
    this.device.pushErrorScope(filter);
    try {
      return action();
    } finally {
      const scope = this.#report(this.device.popErrorScope(), describe);
      this.#scopes.add(scope);
      void scope.finally(() => this.#scopes.delete(scope));
    }
  }

  /** Keeps what a scope has caught. */
  async #report(scope: Promise<GPUError | null>, describe: (message: string) => SkiplaneError): Promise<void> {
    // Scopes of a device that is gone report nothing: its loss does.
    const error = await scope.catch(() => null);
    if (error !== null) this.fail(describe(error.message));
  }

  /** Of all buffers but those that the host reads through. */
  get memory(): BackendMemory {
    return { usedBytes: this.#usedBytes, peakBytes: this.#peakBytes };
  }

  /** A new buffer of zeros, to be given back by `free`. Running out of memory surfaces at the next call. */
  buffer(bytes: number, usage: number, what: string): GPUBuffer {
    this.#usedBytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#usedBytes);
    return this.#create(bytes, usage, what);
  }

  free(buffer: GPUBuffer): void {
    this.#usedBytes -= buffer.size;
    // The device keeps the memory until the work that uses it has ended.
    buffer.destroy();
  }

  /** A new buffer that the host reads through, to be destroyed by itself. */
  staging(bytes: number, what: string): GPUBuffer {
    return this.#create(bytes, bufferUsage.mapRead | bufferUsage.copyTarget, what);
  }

  #create(bytes: number, usage: number, what: string): GPUBuffer {
    return this.scope(
      'out-of-memory',
      () => this.device.createBuffer({ label: what, size: bytes, usage }),
      (message) =>
        new OutOfMemoryError(
          `the device '${this.name}' has no ${bytes.toLocaleString('en')} bytes left for ${what}: ${message}. Use a smaller batch, or dispose what is not needed.`,
          { bytes, what },
        ),
    );
  }

  /**
   * Submits one step. Resolves when the step before it has ended: then at most two are in flight. Data written to a tensor
   * afterwards is queued behind the step, so that its inputs may be overwritten at once.
   */
  async submit(label: string, encode: (encoder: GPUCommandEncoder) => void): Promise<void> {
    const { device } = this;
    this.scope(
      'validation',
      () => {
        const encoder = device.createCommandEncoder({ label });
        encode(encoder);
        device.queue.submit([encoder.finish()]);
      },
      (message) => new SkiplaneError('GPU', `${label} failed on '${this.name}': ${message}`),
    );
    const before = this.#lastStep;
    this.#lastStep = device.queue.onSubmittedWorkDone().then(undefined, () => undefined);
    await before;
  }

  /** Waits until the last step has ended. */
  async idle(): Promise<void> {
    await this.#lastStep;
  }

  /** Copies ranges of buffers to memory, behind all that was submitted. @throws what earlier calls have failed with */
  async download(ranges: readonly (readonly [buffer: GPUBuffer, offset: number, bytes: number])[], staging: GPUBuffer) {
    const { device } = this;
    const encoder = device.createCommandEncoder({ label: 'read' });
    let end = 0;
    for (const [buffer, offset, bytes] of ranges) {
      encoder.copyBufferToBuffer(buffer, offset, staging, end, bytes);
      end += bytes;
    }
    device.queue.submit([encoder.finish()]);
    try {
      await staging.mapAsync(mapRead, 0, end);
    } catch (error) {
      // The news of a lost device may come later than what fails for it.
      await Promise.race([this.#watched, pause(lossMilliseconds)]);
      await this.settled();
      this.check('read');
      throw new SkiplaneError('GPU', `reading from '${this.name}' failed: ${(error as Error).message}`, {}, error);
    }
    const copy = staging.getMappedRange(0, end).slice(0);
    staging.unmap();
    await this.settled();
    this.check('read');
    return copy;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.device.destroy();
  }
}
