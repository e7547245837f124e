import { syntheticDataset } from '@skiplane/resnet';
import { caseImages } from './case.mjs';

/** The images of a case as they are before preprocessing. */
export const caseDataset = () => syntheticDataset({ count: caseImages, seed: 1, split: 'train' });
