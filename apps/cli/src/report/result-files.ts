/** Names of the files of results in a run's folder. */
export const resultFiles = { card: 'card.json', evaluation: 'evaluation.json', report: 'report.html' } as const;
