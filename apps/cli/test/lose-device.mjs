// Destroys GPU devices in the middle of their work: a test calls `loseDeviceAt`, a process that loads this first sets LOSE_DEVICE_AT.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const gpu = createRequire(new URL('../../../packages/kernels-gpu/package.json', import.meta.url));
const { globals } = await import(pathToFileURL(gpu.resolve('webgpu')).href);
const { GPUDevice, GPUQueue } = globals;
const devices = new WeakMap();
let left = Number(process.env['LOSE_DEVICE_AT'] ?? Number.POSITIVE_INFINITY);

/** Lets the device that makes the nth call from now on be lost then. */
export function loseDeviceAt(calls) {
  left = calls;
}

function spend(device) {
  if (--left === 0) device.destroy();
}

const { createBuffer } = GPUDevice.prototype;
GPUDevice.prototype.createBuffer = function (descriptor) {
  devices.set(this.queue, this);
  return createBuffer.call(this, descriptor);
};

for (const method of ['submit', 'writeBuffer']) {
  const original = GPUQueue.prototype[method];
  GPUQueue.prototype[method] = function (...args) {
    original.apply(this, args);
    spend(devices.get(this));
  };
}
