import { addAudit } from './audit.ts';
import { addBundle } from './bundle.ts';
import { addDoctor } from './doctor.ts';
import { addFsck } from './fsck.ts';
import { addGoauth } from './goauth.ts';
import { addImportStore } from './import-store.ts';
import { addKey } from './key.ts';
import { addLog } from './log.ts';
import { addMonitor } from './monitor.ts';
import { addPublish } from './publish.ts';
import { runCommands } from './run-commands.ts';
import { addSbom } from './sbom.ts';
import { addSeed } from './seed.ts';
import { addServe } from './serve.ts';
import { addSetup } from './setup.ts';
import { addSign } from './sign.ts';
import { addToken } from './token.ts';
import { addVerify } from './verify.ts';
import { addWhy } from './why.ts';
import { addYank } from './yank.ts';

/** Runs the command that argv names. */
export function runProgram(): void {
  runCommands([
    addServe,
    addAudit,
    addBundle,
    addDoctor,
    addFsck,
    addGoauth,
    addImportStore,
    addKey,
    addLog,
    addMonitor,
    addPublish,
    addSbom,
    addSeed,
    addSetup,
    addSign,
    addToken,
    addVerify,
    addWhy,
    addYank,
  ]);
}
