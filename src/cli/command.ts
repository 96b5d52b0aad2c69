// How a command runs and ends: in order when it is told to stop, and with a message for a person when it cannot go on.

/** Ends the command with an exit code; the message says what is wrong and what to do about it. */
export class Halt extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A mistake in the program itself (EX_SOFTWARE of sysexits.h), so that no pipeline takes it for an answer. */
const DEFECT = 70;

const PARENT_CHECK_MS = 500;

/**
 * Runs a command. A Halt is said plainly; anything else is a defect and keeps its stack. `stop` ends what the command
 * has started: on the first Ctrl-C or termination signal, and when the command fails. A second signal does not wait.
 */
export async function runCommand(command: () => Promise<void>, stop = async () => {}): Promise<void> {
  let stopping = false;
  onStopSignal(() => {
    if (stopping) process.exit(1);
    stopping = true;
    void stop().finally(() => process.exit(0));
  });
  try {
    await command();
  } catch (error) {
    // What fails while we stop fails because we stop.
    if (stopping) return;
    console.error(error instanceof Halt ? `\n${error.message}\n` : error);
    await stop();
    // Into a pipe, what was printed goes out later than this line; an exit would cut it off.
    await new Promise((resolve) => process.stdout.write("", resolve));
    process.exit(error instanceof Halt ? error.exitCode : DEFECT);
  }
}

function onStopSignal(act: () => void): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, act);
  if (process.env.npm_lifecycle_event === undefined) return;
  // Terminated, npm ends its shell but not what runs in it; we notice by being handed on to another parent.
  const parentId = process.ppid;
  const check = setInterval(() => {
    if (process.ppid === parentId) return;
    clearInterval(check);
    act();
  }, PARENT_CHECK_MS).unref();
}
