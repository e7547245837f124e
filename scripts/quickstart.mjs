// Installs, builds and shows Skiplane at work: npm run quickstart
import { prepare } from './prepare.mjs';

try {
  await prepare();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
