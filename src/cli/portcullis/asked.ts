// What a command takes, said once: `--help` and the parsing of arguments both come from it.
import { parseArgs } from "node:util";
import { misused } from "./halts.ts";

export interface Option {
  /** What stands after it, such as `FILE`; without one it is a switch. */
  readonly value?: string;
  readonly repeatable?: true;
  readonly short?: string;
  readonly help: string;
}
export type Options = Readonly<Record<string, Option>>;

export interface Command {
  /** Such as `policy set`. */
  readonly name: string;
  /** What follows the name, such as `FILE`, or `[FILE]` where it may be left out. */
  readonly argument?: string;
  readonly summary: string;
  readonly details?: string;
  readonly options: Options;
  run(asked: Asked): Promise<void>;
}

/** What the command was called with. */
export interface Asked {
  readonly argument: string | undefined;
  text(option: string): string | undefined;
  texts(option: string): string[];
  has(option: string): boolean;
}

/** What every command takes. */
const COMMON: Options = {
  url: { value: "URL", help: "where the gateway is; else PORTCULLIS_URL" },
  token: { value: "TOKEN", help: "an admin token; else PORTCULLIS_TOKEN, which other users of the machine do not see" },
  org: { value: "ORG", help: "the organization; else PORTCULLIS_ORG" },
  json: { help: "answer in JSON, for machines" },
  help: { short: "h", help: "say this" },
};

/** Reads the arguments behind a command's name. Halts when they are not what it takes. */
export function readArguments(command: Command, args: readonly string[]): Asked {
  const { values, positionals } = parsed(command, args);
  const [argument, ...more] = positionals;
  const takes = command.argument;
  if (takes !== undefined && !takes.startsWith("[") && argument === undefined)
    throw misuse(command, `${command.name} needs ${takes}.`);
  const surplus = takes === undefined ? argument : more[0];
  // It is not repeated: it may be a token.
  if (surplus !== undefined) throw misuse(command, `${command.name} takes ${takes ?? "nothing"} and no more.`);
  const given = (option: string) => [values[option] ?? []].flat();
  return {
    argument,
    text: (option) => given(option).find((value) => typeof value === "string"),
    texts: (option) => given(option).filter((value) => typeof value === "string"),
    has: (option) => given(option).length > 0,
  };
}

function parsed(command: Command, args: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries({ ...command.options, ...COMMON }).map(([name, { value, repeatable, short }]) => [
      name,
      {
        type: value === undefined ? ("boolean" as const) : ("string" as const),
        ...(repeatable && { multiple: true }),
        ...(short !== undefined && { short }),
      },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw misuse(command, error instanceof Error ? error.message : String(error));
  }
}

/** The command was called wrongly: why, and where to read how. */
export function misuse({ name }: Pick<Command, "name">, why: string) {
  return misused(`${why}\nSee  npm run portcullis -- ${name} --help`);
}

/** What `--help` says of a command. */
export function helpOf({ name, argument, summary, details, options }: Command): string {
  const usage = ["npm run portcullis --", name, argument].filter(Boolean).join(" ");
  const rows = Object.entries({ ...options, ...COMMON }).map(([option, { value, repeatable, short, help }]) => {
    const left = `${short ? `-${short}, ` : ""}--${option}${value ? ` ${value}` : ""}`;
    return [left, repeatable ? `${help} (more than once, for more than one)` : help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `${summary}.`,
    ...(details === undefined ? [] : ["", details]),
    "",
    `Usage:  ${usage} [options]`,
    "",
    ...rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`),
  ].join("\n");
}
