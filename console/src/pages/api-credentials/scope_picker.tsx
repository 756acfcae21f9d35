import { Checkbox } from '@mantine/core';
import { useId } from 'react';
import { usePermissions } from '../roles/data';
import { grouped, type Scope } from './credentials';

interface ScopePickerProps {
  offered: readonly string[];
  /** What the credentials have already. */
  had: readonly string[];
  chosen: ReadonlySet<string>;
  onChange: (chosen: Set<string>) => void;
}

/** Chooses scopes from those that the licence offers. */
export function ScopePicker({ offered, had, chosen, onChange }: ScopePickerProps) {
  const { known } = usePermissions();
  const groups = grouped(offered, had, known);
  const toggle = (scopes: readonly Scope[], on: boolean) => {
    const next = new Set(chosen);
    for (const { scope } of scopes) {
      if (on) next.add(scope);
      else next.delete(scope);
    }
    onChange(next);
  };
  if (groups.length === 0) return <p className="apinone">Your licence, roles and plan together offer no scope.</p>;
  return (
    <div className="apipicker">
      {groups.map(({ name, scopes }) => {
        const count = scopes.filter(({ scope }) => chosen.has(scope)).length;
        return (
          <section key={name} aria-label={name}>
            <div className="apigroup">
              <Checkbox
                aria-label={`Select all of ${name}`}
                checked={count === scopes.length}
                indeterminate={count > 0 && count < scopes.length}
                onChange={() => toggle(scopes, count < scopes.length)}
              />
              <h3>{name}</h3>
              <span className="muted">
                {count} of {scopes.length}
              </span>
            </div>
            <ul>
              {scopes.map((scope) => (
                <ScopeRow
                  key={scope.scope}
                  scope={scope}
                  chosen={chosen.has(scope.scope)}
                  onToggle={(on) => toggle([scope], on)}
                />
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}

function ScopeRow({ scope, chosen, onToggle }: { scope: Scope; chosen: boolean; onToggle: (on: boolean) => void }) {
  const id = useId();
  return (
    <li className="apirow">
      <Checkbox
        id={id}
        checked={chosen}
        onChange={(event) => onToggle(event.currentTarget.checked)}
        aria-describedby={scope.gone ? `${id}-why` : undefined}
      />
      <div className="grow">
        <label htmlFor={id}>{scope.label}</label>
        {scope.label !== scope.scope && <div className="mono muted">{scope.scope}</div>}
        {scope.gone && (
          <div className="apiwhy" id={`${id}-why`}>
            Licence, roles or plan do not allow it now. Take it away to save other scopes.
          </div>
        )}
      </div>
    </li>
  );
}
