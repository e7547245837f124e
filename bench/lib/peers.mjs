import { spawnSync } from 'node:child_process';
import { commandOf } from './contender.mjs';
import { versionOf } from './version-of.mjs';

/**
 * Every peer: its file, what must be installed for it, jobs it cannot do, and the largest difference of its logits from float64, relative to
 * the largest of them, where it is not that of f32.
 */
export const peers = {
  skiplane: { file: 'skiplane.mjs', needs: ['@skiplane/resnet'] },
  'skiplane-int8': { file: 'skiplane-int8.mjs', needs: ['@skiplane/resnet'], logits: 0.05 },
  'jax-js': { file: 'jax-js.mjs', needs: ['@jax-js/jax'] },
  'onnxruntime-web': { file: 'onnxruntime-web.mjs', needs: ['onnxruntime-web', 'onnx-proto'] },
  'onnxruntime-node': { file: 'onnxruntime-node.mjs', needs: ['onnxruntime-node', 'onnx-proto'] },
  'tfjs-wasm': {
    file: 'tfjs-wasm.mjs',
    needs: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'],
    cannot: ({ threads }) => (threads > 1 ? 'has no threads in Node' : undefined),
  },
  pytorch: { file: 'pytorch.py', python: 'torch' },
};

/** Why a peer cannot do a job here; undefined when it can. */
export function obstacle(name, job) {
  const { needs = [], python, cannot } = peers[name];
  const missing = needs.filter((each) => versionOf(each) === undefined);
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  if (python !== undefined && !hasPython(python)) return `no ${python} for ${commandOf('x.py')[0]}`;
  return cannot?.(job);
}

const found = new Map();

function hasPython(name) {
  if (!found.has(name)) found.set(name, spawnSync(commandOf('x.py')[0], ['-c', `import ${name}`]).status === 0);
  return found.get(name);
}
