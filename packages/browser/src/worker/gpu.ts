/** The program of a worker with the gpu backend. */
import { createGpuBackend } from '@skiplane/kernels-gpu';
import { serve } from './serve.ts';

serve(createGpuBackend);
