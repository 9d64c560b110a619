/** What a browser has and Node lacks, for tests of the engine. */

import "fake-indexeddb/auto";
