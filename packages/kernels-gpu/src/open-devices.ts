import { isNode } from './node.ts';

/** Node's: they are destroyed before the process ends, which waits for their work, but they do not keep it alive. */
const devices = new Set<GPUDevice>();
const destroyAll = (): void => devices.forEach((device) => device.destroy());

export function keepUntilExit(device: GPUDevice): void {
  if (!isNode()) return;
  if (devices.size === 0) process.once('exit', destroyAll);
  devices.add(device);
}

export function forget(device: GPUDevice): void {
  if (devices.delete(device) && devices.size === 0) process.off('exit', destroyAll);
}
