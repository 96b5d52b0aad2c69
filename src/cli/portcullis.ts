// `npm run portcullis -- …`: the admin API for people in terminals, and for pipelines.
//
// Exit codes: 0 done; 1 a guard failed; 2 wrong usage; 3 the API said no or cannot be reached; 70 a defect of this program.
import { runCommand } from "./command.ts";
import { type Command, helpOf, readArguments } from "./portcullis/asked.ts";
import { catalogCommands } from "./portcullis/catalog.ts";
import { eventCommands } from "./portcullis/events.ts";
import { misused } from "./portcullis/halts.ts";
import { keyCommands } from "./portcullis/keys.ts";
import { policyCommands } from "./portcullis/policy.ts";

const COMMANDS: readonly Command[] = [...policyCommands, ...eventCommands, ...keyCommands, ...catalogCommands];

/** As a program ends that writes into a pipe which nobody reads: never 0, a guard may not have been reached yet. */
const BROKEN_PIPE = 128 + 13;

process.stdout.on("error", () => process.exit(BROKEN_PIPE));

await runCommand(portcullis);

async function portcullis(): Promise<void> {
  const args = process.argv.slice(2);
  const command = COMMANDS.find(({ name }) => name === args.slice(0, 2).join(" "));
  const wantsHelp = args.includes("--help") || args.includes("-h");
  if (command && wantsHelp) console.log(helpOf(command));
  else if (command) await command.run(readArguments(command, args.slice(2)));
  else if (wantsHelp) console.log(overviewOf(args));
  else throw misused([...unknown(args), overviewOf(args)].join("\n\n"));
}

/** Only words are repeated: a token in the wrong place is not. */
function unknown(args: readonly string[]): string[] {
  const words = args.slice(0, 2).filter((arg) => /^[a-z]{1,20}$/.test(arg));
  return words.length > 0 ? [`There is no command "${words.join(" ")}".`] : [];
}

/** The commands of the topic that is named, or all. */
function overviewOf([topic = ""]: readonly string[]): string {
  const ofTopic = COMMANDS.filter(({ name }) => name.startsWith(`${topic} `));
  return overview(ofTopic.length > 0 ? ofTopic : COMMANDS);
}

function overview(commands: readonly Command[]): string {
  const rows = commands.map(({ name, argument = "", summary }) => [`${name} ${argument}`.trim(), summary] as const);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    "Usage:  npm run portcullis -- COMMAND [options]",
    "",
    ...rows.map(([left, summary]) => `  ${left.padEnd(width)}  ${summary}`),
    "",
    "COMMAND --help says more. Where and on whose behalf: PORTCULLIS_URL, PORTCULLIS_TOKEN and PORTCULLIS_ORG; without",
    "them, the demo of `npm start`. Exit codes: 0 done, 1 a guard failed, 2 wrong usage, 3 the API said no.",
  ].join("\n");
}
