import { describeSweep, inMemory } from './suite';

describeSweep('increments', inMemory('incremental', false, 1));
describeSweep('increments as bytes, two workers', inMemory('incremental', true, 2));
describeSweep('increments by two processes', inMemory('incremental', false, 1, 2));
