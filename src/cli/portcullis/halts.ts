// The ways in which the command line ends other than well. A pipeline tells them apart by the exit code.
import { Halt } from "../command.ts";

/** A guard did not hold: the draft blocks a model, or the export is not proven. */
export const guardFailed = (message: string): Halt => new Halt(message, 1);

/** The command was not given what it needs. */
export const misused = (message: string): Halt => new Halt(message, 2);

/** The admin API said no, or cannot be reached. */
export class Refused extends Halt {
  /** Whether it may well work in a moment. */
  readonly passing: boolean;
  /** In how long the gateway wants to be asked again, at the earliest. */
  readonly retryAfterSeconds: number;
  constructor(message: string, { passing, retryAfterSeconds = 0 }: { passing: boolean; retryAfterSeconds?: number }) {
    super(message, 3);
    this.passing = passing;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
