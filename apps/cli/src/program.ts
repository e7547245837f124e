import { Command, CommanderError } from '@commander-js/extra-typings';
import { addBench } from './commands/bench.ts';
import { addConvert } from './commands/convert.ts';
import { addData } from './commands/data.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvaluate } from './commands/evaluate.ts';
import { addInspect } from './commands/inspect.ts';
import { addLab } from './commands/lab.ts';
import { addPlay } from './commands/play.ts';
import { addPredict } from './commands/predict.ts';
import { addQuantize } from './commands/quantize.ts';
import { addReport } from './commands/report.ts';
import { addReproduce } from './commands/reproduce.ts';
import { addSummary } from './commands/summary.ts';
import { addTrain } from './commands/train.ts';
import { exitCodes } from './errors.ts';
import { readVersion } from './version.ts';

/** Called by a command with its exit code. */
export type Finish = (exitCode: number) => void;

/**
 * Parses a command line and runs its command.
 * @returns the exit code
 * @throws whatever the command throws
 */
export async function runProgram(args: readonly string[]): Promise<number> {
  let code: number = exitCodes.ok;
  const program = buildProgram((result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    throw error;
  }
}

/** Every command with its options. The work is imported when a command is used, so that `--help` is quick. */
function buildProgram(finish: Finish): Command {
  const program = new Command('skiplane');
  program
    .description('Trains and runs residual networks on WebAssembly SIMD or WebGPU.')
    .version(readVersion())
    .addHelpText('after', examples)
    // 'data' and 'data download' share options: each takes those that follow its own name.
    .enablePositionalOptions()
    .exitOverride();
  addTrain(program, finish);
  addEvaluate(program);
  addPredict(program);
  addInspect(program);
  addConvert(program);
  addQuantize(program);
  addReport(program);
  addReproduce(program, finish);
  addLab(program, finish);
  addSummary(program);
  addData(program, finish);
  addBench(program);
  addDoctor(program, finish);
  addPlay(program, finish);
  return program;
}

const examples = `
Examples:
  skiplane data download                          fetch CIFAR-10 once
  skiplane train --model resnet20v1               train with the settings of the Keras example
  skiplane train --data synthetic --epochs 3      try it without any data
  skiplane evaluate --weights runs/resnet20v1/best.safetensors
  skiplane predict --weights runs/resnet20v1/best.safetensors cat.jpg
  skiplane inspect model.h5                       look into weights of any kind
  skiplane evaluate --weights resnet20.th --preprocess imagenet
  skiplane report runs/resnet20v1 runs/resnet8v1  compare two runs on one page
  skiplane play                                   train in the browser
  skiplane reproduce runs/resnet20v1/card.json    repeat a run and compare the bits
  skiplane lab degradation --budget 2h            plain and residual nets, shallow and deep`;
