import { Checkbox } from '@mantine/core';
import { IconExternalLink, IconLock } from '@tabler/icons-react';
import { useId } from 'react';
import { type Catalog, type CatalogAPI, matching, toggled, whyNot } from './choice';

interface APIPickerProps {
  catalog: Catalog;
  search: string;
  chosen: ReadonlySet<string>;
  /** What the app has already. */
  had: ReadonlySet<string>;
  onChange: (chosen: Set<string>) => void;
}

/** Chooses APIs of the catalogue, by group; what cannot be chosen says why. */
export function APIPicker({ catalog, search, chosen, had, onChange }: APIPickerProps) {
  const groups = matching(catalog, search);
  if (groups.length === 0) return <p className="apinone">No API matches “{search.trim()}”.</p>;
  return (
    <div className="apipicker">
      {groups.map((group) => {
        const open = group.apis.filter((api) => whyNot(catalog, api.key, had) === undefined).map((api) => api.key);
        const count = group.apis.filter((api) => chosen.has(api.key)).length;
        return (
          <section key={group.key} aria-label={group.name}>
            <div className="apigroup">
              <Checkbox
                aria-label={`Select all of ${group.name}`}
                checked={count > 0 && open.every((key) => chosen.has(key))}
                indeterminate={count > 0 && !open.every((key) => chosen.has(key))}
                disabled={open.length === 0}
                onChange={() => onChange(toggled(chosen, open))}
              />
              <h3>{group.name}</h3>
              <span className="muted">
                {count} of {group.apis.length}
              </span>
            </div>
            <ul>
              {group.apis.map((api) => (
                <APIRow
                  key={api.key}
                  api={api}
                  chosen={chosen.has(api.key)}
                  why={whyNot(catalog, api.key, had)}
                  onToggle={() => onChange(toggled(chosen, [api.key]))}
                />
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}

interface APIRowProps {
  api: CatalogAPI;
  chosen: boolean;
  why?: string;
  onToggle: () => void;
}

function APIRow({ api, chosen, why, onToggle }: APIRowProps) {
  const id = useId();
  return (
    <li className="apirow" data-off={why !== undefined || undefined}>
      <Checkbox
        id={id}
        checked={chosen}
        disabled={why !== undefined}
        onChange={onToggle}
        aria-describedby={why ? `${id}-why` : undefined}
      />
      <div className="grow">
        <label htmlFor={id}>{api.name}</label>
        <div className="mono muted">{api.permissions.join(' ')}</div>
        {why && (
          <div className="apiwhy" id={`${id}-why`}>
            <IconLock size={14} stroke={1.8} aria-hidden />
            {why}
          </div>
        )}
      </div>
      {api.documentation_url && (
        <a
          href={api.documentation_url}
          target="_blank"
          rel="noopener noreferrer"
          className="apidoc"
          aria-label={`Documentation of ${api.name}`}
        >
          Documentation <IconExternalLink size={13} stroke={1.8} aria-hidden />
        </a>
      )}
    </li>
  );
}
