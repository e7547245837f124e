/** The page of the tests: one import, as a user writes it; what the page does then, the tests say. */
import { createTrainer } from '@skiplane/browser';

globalThis.createTrainer = createTrainer;
