import { closestMatch } from 'leven';

/** `Did you mean 'x'?` for the candidate nearest to a misspelt word, or nothing when none is near. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const nearest = closestMatch(word.toLowerCase(), candidates, { maxDistance: Math.ceil(word.length / 3) + 1 });
  return nearest === undefined ? '' : ` Did you mean '${nearest}'?`;
}
