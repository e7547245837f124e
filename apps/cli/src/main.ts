import { reportError, reportUnfinished } from './errors.ts';
import { closeQuietlyOnBrokenPipe } from './output.ts';
import { runProgram } from './program.ts';

closeQuietlyOnBrokenPipe();
process.once('exit', reportUnfinished);
try {
  process.exitCode = await runProgram(process.argv.slice(2));
} catch (error) {
  process.exitCode = reportError(error);
}
