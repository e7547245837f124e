import { describe, expect, test } from 'vitest';
import { renderConfusion } from '../src/render/confusion.ts';
import { formatDuration, formatRate } from '../src/render/format.ts';
import { renderBar } from '../src/render/progress.ts';
import { programName, shellQuote } from '../src/shell.ts';

describe('render', () => {
  test.each([
    [7.4, '0:07'],
    [754, '12:34'],
    [3723, '1:02:03'],
    [Number.NaN, '?'],
  ])('%s seconds are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  test.each([
    [12_345.6, '12,346'],
    [12.345, '12.3'],
    [0.01234, '0.0123'],
  ])('%s images a second are %s', (rate, text) => expect(formatRate(rate)).toBe(text));

  test('a bar has the same width whatever the fraction', () => {
    expect([0, 0.5, 1, 2].map((fraction) => renderBar(fraction, 4))).toEqual(['────', '━━──', '━━━━', '━━━━']);
  });

  test('a confusion matrix', () => {
    const confusion = [
      [8, 2],
      [0, 0],
    ];
    expect(renderConfusion(confusion, ['cat', 'aeroplane'])).toBe(
      [
        'true class  cat  aero  right',
        '----------  ---  ----  -----',
        'cat           8     2   80 %',
        'aeroplane     .     .      -',
      ].join('\n'),
    );
  });

  test('words for a shell', () => {
    expect(['runs/a-1.b', 'my runs', "it's"].map(shellQuote)).toEqual([
      'runs/a-1.b',
      "'my runs'",
      String.raw`'it'\''s'`,
    ]);
    expect(['skiplane', 'npx skiplane']).toContain(programName());
  });
});
