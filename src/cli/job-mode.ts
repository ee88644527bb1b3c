import { type Command, Option } from 'commander';

export interface JobOptions {
  /** A directory of this run alone; set where a server runs the command. */
  readonly job?: string;
}

/** SIGTERM's, as a shell tells it. */
const ENDED = 143;

/** For a command that a server runs as a job: docs/decisions/0022-bundle-jobs.md. */
export function withJobOption(command: Command): Command {
  const job = new Option('--job <directory>', 'said by a server that runs this as a job of its own');
  return command.addOption(job.hideHelp());
}

/**
 * Ends this process with the server that runs it, whose end of standard input is open for as long as it lives; and on SIGTERM in a way
 * that lets what is to be taken back at an exit be taken back.
 */
export function endWithServer({ job }: JobOptions): void {
  if (job === undefined) return;
  const end = () => process.exit(ENDED);
  process.on('SIGTERM', end);
  process.stdin.on('end', end).on('error', end).resume();
  // What a command still has to do keeps it going, and not that it listens.
  if ('unref' in process.stdin) process.stdin.unref();
}
