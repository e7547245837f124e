import { createHash } from 'node:crypto';
import { encodeCheckpoint, type Checkpoint } from '../../src/index.ts';

/** SHA-256 of bytes, or of a checkpoint's file: equal exactly when the bytes are, and quick to compare. */
export function digest(data: Uint8Array | Checkpoint): string {
  const bytes = data instanceof Uint8Array ? data : encodeCheckpoint(data);
  return createHash('sha256').update(bytes).digest('hex');
}
