// How a request ended, as a tag beside its event.
import { isReadable, type ListedEvent } from "../../store/event.ts";
import { outcomeInWords } from "./event-words.ts";

export const OutcomeTag = ({ event }: { event: ListedEvent }) => (
  <span class={`tag ${isReadable(event) && event.outcome === "refused" ? "blocked" : "warn"}`}>
    {outcomeInWords(event)}
  </span>
);
