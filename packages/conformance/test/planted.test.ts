import type { Op } from '@skiplane/core';
import { describe, expect, it } from 'vitest';
import type { Subject } from '../src/subject.ts';
import { conformanceCases } from '../src/suite.ts';
import { Tally } from '../src/tally.ts';
import { F32Backend, type Fault } from './f32-backend.ts';

const settings = { runs: 3, seed: 1, path: undefined };

function subjectOf(...faults: readonly Fault[]): Subject {
  const variants = faults.map((fault, i) => ({ name: `variant ${i}`, backend: new F32Backend(fault) }));
  return { name: 'planted', variants, boundFactor: () => 1, tally: new Tally() };
}

/** Messages of the cases that fail, by id. */
async function failuresOf(subject: Subject, part: string): Promise<ReadonlyMap<string, string>> {
  const failures = new Map<string, string>();
  const cases = conformanceCases().filter(({ id }) => id.startsWith(part));
  expect(cases.length).toBeGreaterThan(0);
  for (const conformanceCase of cases) {
    try {
      await conformanceCase.run(subject, settings);
    } catch (error) {
      failures.set(conformanceCase.id, (error as Error).message);
    }
  }
  return failures;
}

/** The op with other attributes, and without its last operands where fewer are asked for. */
const withAttrs = (op: Op, attrs: object, operands = op.inputs.length): Op =>
  ({ ...op, attrs: { ...op.attrs, ...attrs }, inputs: op.inputs.slice(0, operands) }) as Op;

const at = (data: Float32Array | undefined, i: number): number => data?.[i] as number;

/** One unit in the last place up. */
function nudge(data: Float32Array | undefined): void {
  if (data === undefined || data.length === 0) return;
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  words[0] = (words[0] as number) + 1;
}

interface Planted {
  /** Ids of cases start with this. */
  readonly part: string;
  readonly fault: () => Fault;
  /** What the message of some failure must say. */
  readonly says: RegExp;
}

const planted: Readonly<Record<string, Planted>> = {
  'padding off by one': {
    part: 'conv2d/3x3 stride 2',
    fault: () => ({
      change(op) {
        if (op.kind !== 'conv2d' || op.attrs.window.padding.bottom === 0) return op;
        const { top, bottom } = op.attrs.window.padding;
        const padding = { ...op.attrs.window.padding, top: top + 1, bottom: bottom - 1 };
        return withAttrs(op, { window: { ...op.attrs.window, padding } });
      },
    }),
    says: /'y' \[.*\] at \[\d+,\d+,\d+,\d+\].*bound.*elements are outside/,
  },
  'the residual forgotten': {
    part: 'conv2d/3x3 same',
    fault: () => ({
      change: (op) =>
        op.kind === 'conv2d' && op.attrs.residual ? withAttrs(op, { residual: false }, op.inputs.length - 1) : op,
    }),
    says: /"residual":true/,
  },
  'relu forgotten behind a residual, in fused graphs only': {
    part: 'pattern/conv, bias, add, relu',
    fault: () => ({
      change: (op) => (op.kind === 'conv2d' && op.attrs.residual ? withAttrs(op, { activation: 'none' }) : op),
    }),
    says: /fuse: true/,
  },
  'the mask of a fused gradient forgotten': {
    part: 'pattern/backprop input, add, reluGrad',
    fault: () => ({
      change: (op) =>
        op.kind === 'conv2dBackpropInput' && op.attrs.activationGrad === 'relu'
          ? withAttrs(op, { activationGrad: 'none' }, op.inputs.length - 1)
          : op,
    }),
    says: /'dx'/,
  },
  'taps of the filter gradient flipped': {
    part: 'conv2dBackpropFilter/',
    fault: () => ({
      spoil({ kind }, [dFilter]) {
        if (kind === 'conv2dBackpropFilter') dFilter?.reverse();
      },
    }),
    says: /'dFilter'/,
  },
  'a write behind the last result': {
    part: 'relu/',
    fault: () => ({
      spoil({ kind }, [y], _inputs, room) {
        if (kind === 'relu' && y !== undefined && room !== undefined) room[Math.ceil(y.length / 16) * 16] = 0;
      },
    }),
    says: /GuardError: relu wrote outside/,
  },
  'an element that nobody writes': {
    part: 'add/',
    fault: () => ({
      spoil({ kind }, [y]) {
        if (kind === 'add') y?.fill(Number.NaN, -1);
      },
    }),
    says: /is NaN, the oracle says/,
  },
  'a different last bit in each run': {
    part: 'matMul/',
    fault() {
      let runs = 0;
      return {
        spoil({ kind }, [y]) {
          if (kind === 'matMul' && runs++ % 2 === 1) nudge(y);
        },
      };
    },
    says: /bits differ between two runs/,
  },
  'an input overwritten': {
    part: 'multiply/',
    fault: () => ({
      spoil({ kind }, _results, [a]) {
        if (kind === 'multiply') a?.fill(3);
      },
    }),
    says: /an input before and after/,
  },
  'what the first run computed, kept for all runs': {
    part: 'matMul/',
    fault() {
      let first: Float32Array | undefined;
      return {
        spoil({ kind }, [y]) {
          if (kind !== 'matMul' || y === undefined) return;
          if (first?.length !== y.length) first = y.slice();
          y.set(first);
        },
      };
    },
    says: /'y'/,
  },
  'results in bfloat16': {
    part: 'conv2d/',
    fault: () => ({
      spoil({ kind }, [y]) {
        if (kind === 'conv2d') y?.forEach((value, i) => (y[i] = toBfloat16(value)));
      },
    }),
    says: /bound/,
  },
  'variance as E[x²] − E[x]² in f32': {
    part: 'batchNormTraining/x',
    fault: () => ({
      spoil(op, [, , inverseStd], [x]) {
        if (op.kind !== 'batchNormTraining' || x === undefined || inverseStd === undefined) return;
        textbookInverseStd(x, op.attrs.epsilon, inverseStd);
      },
    }),
    says: /'inverseStd'/,
  },
  'the biased variance in place of the unbiased': {
    part: 'batchNormTraining/unbiased',
    fault: () => ({
      change: (op) => (op.kind === 'batchNormTraining' ? withAttrs(op, { movingVariance: 'biased' }) : op),
    }),
    says: /'movingVariance'/,
  },
  '1 − beta2 from beta2 rounded to f32': {
    part: 'adam/first step',
    fault: () => ({
      spoil(op, [, , v], [, , , gradient]) {
        if (op.kind !== 'adam' || v === undefined) return;
        const rest = 1 - Math.fround(op.attrs.beta2);
        v.forEach((_, i) => (v[i] = rest * at(gradient, i) ** 2));
      },
    }),
    says: /'v'/,
  },
  'weight decay left out': {
    part: 'adamW/a filter',
    fault: () => ({
      spoil(op, [parameter], [old, , , , , decay]) {
        if (op.kind !== 'adamW' || old === undefined || decay === undefined) return;
        parameter?.forEach((value, i) => (parameter[i] = value + at(decay, 0) * at(old, i)));
      },
    }),
    says: /'parameter'/,
  },
  'momentum of Nesterov taken for the plain one': {
    part: 'sgdMomentum/{"momentum":0.9,"nesterov":true}',
    fault: () => ({ change: (op) => (op.kind === 'sgdMomentum' ? withAttrs(op, { nesterov: false }) : op) }),
    says: /'parameter'/,
  },
  'labels not smoothed in the gradient': {
    part: 'softmaxCrossEntropyGrad/1000 classes, {"labelSmoothing":0.1}',
    fault: () => ({
      change: (op) => (op.kind === 'softmaxCrossEntropyGrad' ? withAttrs(op, { labelSmoothing: 0 }) : op),
    }),
    says: /'dLogits'/,
  },
  'ties to the higher index': {
    part: 'topKCorrect/k 1, equal',
    fault: () => ({
      spoil({ kind }, [correct]) {
        if (kind === 'topKCorrect') correct?.fill(0);
      },
    }),
    says: /'correct'/,
  },
  'a gradient lost in a whole net': {
    part: 'net/v2, every gradient',
    fault: () => ({
      change: (op) => (op.kind === 'batchNormGrad' && op.attrs.residual ? withAttrs(op, { residual: false }, 5) : op),
    }),
    says: /from the oracle in norm/,
  },
};

function toBfloat16(value: number): number {
  const data = Float32Array.of(value);
  const words = new Uint32Array(data.buffer);
  words[0] = (words[0] as number) & 0xffff0000;
  return data[0] as number;
}

function textbookInverseStd(x: Float32Array, epsilon: number, inverseStd: Float32Array): void {
  const channels = inverseStd.length;
  const positions = x.length / channels;
  for (let c = 0; c < channels; c++) {
    let [sum, squares] = [0, 0];
    for (let i = c; i < x.length; i += channels) {
      sum = Math.fround(sum + at(x, i));
      squares = Math.fround(squares + Math.fround(at(x, i) ** 2));
    }
    const mean = Math.fround(sum / positions);
    const variance = Math.fround(Math.fround(squares / positions) - Math.fround(mean * mean));
    inverseStd[c] = 1 / Math.sqrt(Math.max(variance, 0) + epsilon);
  }
}

describe('an error planted in a backend is found', () => {
  it.each(Object.entries(planted))('%s', async (_name, { part, fault, says }) => {
    const failures = await failuresOf(subjectOf(fault()), part);
    expect([...failures.values()].join('\n')).toMatch(says);
  });

  it('one bit that depends on the number of threads', async () => {
    const fault: Fault = { spoil: (_op, [y]) => nudge(y) };
    const failures = await failuresOf(subjectOf({}, fault), 'matMul/odd, 5x7x3');
    expect([...failures.values()][0]).toMatch(/bits differ between variant 0 and variant 1: 'y' at \[0,0\]/);
  });
});

describe('a failure says all it takes to repeat it', () => {
  it('op, attributes, operands, kernels and graph', async () => {
    const fault: Fault = {
      change: (op) => (op.kind === 'matMul' ? withAttrs(op, { transposeA: !op.attrs.transposeA }) : op),
    };
    const square = await failuresOf(subjectOf(fault), 'matMul/1x1x1');
    expect(square.size).toBe(0);
    const failures = await failuresOf(
      subjectOf({ spoil: ({ kind }, [y]) => void (kind === 'matMul' && y?.fill(9)) }),
      'matMul/odd, uniform',
    );
    const message = failures.get('matMul/odd, uniform') ?? '';
    for (const part of [
      'matMul on planted',
      '"transposeA":false',
      'a [5,7] uniform (seed 1)',
      'matMul.f32',
      "graph 'matMul in tensors'",
    ]) {
      expect(message).toContain(part);
    }
  });

  it('and of a random case the seed and the path, which lead straight to it', async () => {
    const fault: Fault = { spoil: ({ kind }, [y]) => void (kind === 'reduceSum' && y?.fill(12345)) };
    const random = conformanceCases().find(({ id }) => id === 'reduceSum/random');
    const message = await random?.run(subjectOf(fault), settings).catch((error: Error) => error.message);
    const path =
      /SKIPLANE_CONFORMANCE_SEED=1 SKIPLANE_CONFORMANCE_PATH=([\d:]+) npx vitest run -t 'reduceSum\/random'/.exec(
        message ?? '',
      )?.[1];
    expect(path).toBeDefined();
    const again = subjectOf(fault);
    await expect(random?.run(again, { ...settings, path })).rejects.toThrow('12345');
    expect(again.tally.report('again')).toContain('again: 1 cases');
  });
});
