// A role to choose.
import { ROLES } from "./member-words.ts";

export const RoleSelect = ({ chosen, error }: { chosen: string; error?: string | undefined }) => (
  <div class="field">
    <label for="role">Role</label>
    <select
      id="role"
      name="role"
      aria-invalid={error ? "true" : undefined}
      aria-describedby={error ? "role-error" : undefined}
    >
      {ROLES.map(({ role }) => (
        <option value={role} selected={role === chosen}>
          {role}
        </option>
      ))}
    </select>
    {error && (
      <p id="role-error" class="field-error" role="alert">
        {error}
      </p>
    )}
  </div>
);
