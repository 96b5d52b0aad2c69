// Fields and parameters on the reference page: name, form, meaning.
import type { Parameter } from "../openapi/document.ts";
import type { JsonSchema } from "../openapi/schemas.ts";
import { componentOf, type Form, fieldsOf, formOf } from "./schema-words.ts";

/** The fields of a schema, or of the alternatives that it has. */
export const Fields = ({ schema, components }: { schema: JsonSchema; components: Record<string, JsonSchema> }) => {
  const alternatives = (schema.oneOf ?? [schema]).map((each) => [each.$ref, resolved(each, components)] as const);
  return (
    <>
      {alternatives.map(([reference, each], index) => (
        <>
          {index > 0 && <p class="or">or</p>}
          {reference !== undefined && (
            <p class="aside">
              <ComponentLink name={componentOf(reference)} />
            </p>
          )}
          <FieldList schema={each} />
        </>
      ))}
    </>
  );
};

/** Every field of an object, one a line. */
export const FieldList = ({ schema }: { schema: JsonSchema }) => {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return <p class="aside">{isObject(schema) ? "No fields." : formOf(schema).words}</p>;
  return (
    <dl class="fields">
      {fields.map(({ path, required, form, description }) => (
        <Entry name={path} required={required} form={form} description={description} />
      ))}
    </dl>
  );
};

export const Parameters = ({ parameters }: { parameters: readonly Parameter[] }) => (
  <dl class="fields">
    {parameters.map(({ name, in: where, required, schema, description }) => (
      <Entry name={name} note={where} required={required} form={formOf(schema)} description={description} />
    ))}
  </dl>
);

const Entry = (entry: {
  name: string;
  note?: string;
  required: boolean;
  form: Form;
  description: string | undefined;
}) => (
  <div>
    <dt>
      <code>{entry.name}</code>
      {entry.note !== undefined && <span class="where"> {entry.note}</span>}
      {!entry.required && <span class="where"> optional</span>}
    </dt>
    <dd>
      {entry.description !== undefined && (
        <>
          <Prose text={entry.description} />{" "}
        </>
      )}
      <span class="form">
        <FormWords form={entry.form} />
      </span>
    </dd>
  </div>
);

const FormWords = ({ form: { words, components } }: { form: Form }) => (
  <>{words.split(/\b(\w+)\b/).map((word) => (components.includes(word) ? <ComponentLink name={word} /> : word))}</>
);

const ComponentLink = ({ name }: { name: string }) => <a href={`#schema-${name}`}>{name}</a>;

/** Text in which `this` is code. */
export const Prose = ({ text }: { text: string }) => (
  <>{text.split("`").map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>
);

function resolved(schema: JsonSchema, components: Record<string, JsonSchema>): JsonSchema {
  return schema.$ref === undefined ? schema : (components[componentOf(schema.$ref)] ?? {});
}

function isObject({ type }: JsonSchema): boolean {
  return type === "object";
}
