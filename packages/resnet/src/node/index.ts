export { loadCheckpoint, saveCheckpoint } from './checkpoint-file.ts';
export { loadCifar10 } from './load-cifar10.ts';
export { RunDirectory } from './run-directory.ts';
export { StorageError } from './storage-error.ts';
export { writeFileAtomic } from './write-file-atomic.ts';
