// Before the package is packed: the built playground, which `skiplane play` serves, into it.
import { cpSync, existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const [from, to] = [path('../../playground/dist'), path('../playground')];

if (existsSync(`${from}/index.html`)) {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
} else {
  console.error(
    `error: the package needs the playground, but ${from} has no index.html. Build it first: npm run build`,
  );
  process.exitCode = 1;
}
