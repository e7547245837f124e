import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The tests run the built command line as a user does: builds what is out of date, which is quick when nothing is. */
export function setup(): void {
  const turbo = fileURLToPath(new URL('../../../scripts/turbo.mjs', import.meta.url));
  const args = [turbo, 'build', '--filter=skiplane', '--output-logs=errors-only'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build of skiplane failed:\n${stdout}${stderr}`);
}
