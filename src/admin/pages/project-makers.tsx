// The forms that make a key and a project, folded until they are wanted, so that the lists come first.
import type { PropsWithChildren } from "hono/jsx";
import { Field } from "./field.tsx";
import { NewId } from "./made-once.tsx";
import { PostForm } from "./post-form.tsx";
import { UNFILLED } from "./posted-fields.ts";
import type { ProjectsView } from "./projects-page.tsx";

export const NewKey = ({ view: { projects, asked, refused } }: { view: ProjectsView }) => {
  const filled = refused?.form === "key" ? refused.filled : UNFILLED;
  return (
    <Maker title="New key" action="/settings/keys" open={refused?.form === "key"} button="Create key">
      <NewId kind="key" />
      <Field
        form="key"
        name="project"
        label="Project"
        filled={filled}
        initial={asked.project ?? ""}
        list="project-options"
        about="Lower-case letters, digits and dashes. One that is new is created with the key."
      />
      <Field form="key" name="name" label="Name" filled={filled} about="What uses it, such as “CI”." />
      <Field
        form="key"
        name="last_day"
        label="Last day (optional)"
        type="date"
        filled={filled}
        required={false}
        about="It works through the end of that day, UTC."
      />
      <datalist id="project-options">
        {projects.map(({ id, name }) => (
          <option value={id}>{name}</option>
        ))}
      </datalist>
    </Maker>
  );
};

export const NewProject = ({ view: { refused } }: { view: ProjectsView }) => {
  const filled = refused?.form === "project" ? refused.filled : UNFILLED;
  return (
    <Maker title="New project" action="/settings/projects" open={refused?.form === "project"} button="Create project">
      <Field
        form="project"
        name="id"
        label="Id"
        filled={filled}
        about="Lower-case letters, digits and dashes. It never changes: keys and events name it."
      />
      <Field form="project" name="name" label="Name" filled={filled} about="For people; it can be changed." />
    </Maker>
  );
};

const Maker = ({
  title,
  action,
  open,
  button,
  children,
}: PropsWithChildren<{ title: string; action: string; open: boolean; button: string }>) => (
  <details class="maker" open={open}>
    <summary class="button secondary">{title}</summary>
    <PostForm action={action} class="card" aria-label={title}>
      {children}
      <button type="submit" class="primary">
        {button}
      </button>
    </PostForm>
  </details>
);
