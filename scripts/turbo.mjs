// Runs turbo with telemetry off: node scripts/turbo.mjs <task> [options]
import { runBin } from './tools.mjs';

const { code } = await runBin('turbo', ['run', ...process.argv.slice(2)], { show: true });
process.exitCode = code;
