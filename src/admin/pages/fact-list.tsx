// What is known of something, name by name.
import type { Child } from "hono/jsx";

export type Fact = readonly [name: string, value: Child];

export const FactList = ({ facts }: { facts: readonly Fact[] }) => (
  <dl class="record">
    {facts.map(([name, value]) => (
      <div>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);
