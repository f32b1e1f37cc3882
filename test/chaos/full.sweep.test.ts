import { describeSweep, inMemory } from './suite';

describeSweep('full reads as rows', inMemory('full', false, 1));
describeSweep('full reads as bytes, two workers', inMemory('full', true, 2));
describeSweep('full reads as rows, each batch in a transaction of its own', inMemory('full', false, 1, 1, false));
describeSweep('full reads by two processes', inMemory('full', false, 1, 2));
