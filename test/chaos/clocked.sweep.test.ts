import { describeClockedSweep } from './suite';

describeClockedSweep('full', false, 1);
describeClockedSweep('full', false, 2, 2);
describeClockedSweep('incremental', false, 2);
