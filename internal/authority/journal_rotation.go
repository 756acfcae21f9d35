package authority

import (
	"time"

	"github.com/claviger-io/claviger/internal/credential"
)

// namesSecrets reports whether an entry about rotations says which secrets it means.
func (e JournalEntry) namesSecrets() bool {
	switch e.Action {
	case JournalRotated:
		return e.SecretVersion >= 1 && e.ValidUntil != nil
	case JournalRotationRolledBack:
		return e.SecretVersion >= 1 && e.EndedVersion >= 1
	case JournalRevoked, JournalUserDeleted, JournalTenantDeleted:
	}
	return true
}

// secretHistory is what a journal knows of the secrets of one credential.
type secretHistory struct {
	current int                // the version that has no end
	latest  int                // the highest that was given out
	ends    map[int]*time.Time // of versions that are asked for; nil: open again
}

// historyOf goes through the entries in the order in which they happened. It tells of the
// versions that are given.
func historyOf(entries []JournalEntry, versions []int) secretHistory {
	h := secretHistory{current: 1, latest: 1, ends: map[int]*time.Time{}}
	for _, e := range entries {
		switch e.Action {
		case JournalRotated:
			h.rotated(e, versions)
		case JournalRotationRolledBack:
			h.current, h.latest = e.SecretVersion, max(h.latest, e.EndedVersion)
			h.end(e.EndedVersion, e.At)
			h.ends[e.SecretVersion] = nil
		case JournalRevoked, JournalUserDeleted, JournalTenantDeleted:
		}
	}
	return h
}

// rotated ends the versions up to one. Where that is older than the current one, a grace
// period was cut short, or the entry is a repeated one: there was no new version.
func (h *secretHistory) rotated(e JournalEntry, versions []int) {
	if e.SecretVersion >= h.current {
		h.latest = max(h.latest, e.SecretVersion) + 1
		h.current = h.latest
	}
	for _, v := range versions {
		if v <= e.SecretVersion {
			h.end(v, *e.ValidUntil)
		}
	}
}

// end ends a version at a time, unless it ends sooner.
func (h *secretHistory) end(version int, at time.Time) {
	if known := h.ends[version]; known == nil || at.Before(*known) {
		h.ends[version] = &at
	}
}

// applyRotations ends secrets that were rotated away, and gives back the end to those that a
// rotation was rolled back to. Secrets that are younger than the backup are lost, so a
// credential may be left without any until it is rotated again; their versions are not given
// out a second time.
func (c *change) applyRotations(k credential.Credential, entries []JournalEntry) (JournalAction, error) {
	material, err := c.tx.Material(k.ID)
	if err != nil {
		return "", err
	}
	known, err := c.tx.Rotation(k.ID)
	if err != nil {
		return "", err
	}
	var versions []int
	for _, m := range material {
		versions = append(versions, m.Version)
	}
	h := historyOf(entries, versions)
	// Where the backup knows of later rotations than the journal, a part of that is missing.
	whole := h.latest >= max(k.SecretVersion, known.Latest)
	changed := fields{}
	for _, m := range material {
		end, told := h.ends[m.Version]
		switch {
		case !told, end == nil && (m.ValidUntil.IsZero() || !whole),
			end != nil && !m.ValidUntil.IsZero() && !m.ValidUntil.After(*end):
			continue
		case end == nil:
			err = c.tx.EndMaterial(k.ID, m.Field, m.Version, time.Time{})
		default:
			err = c.tx.EndMaterial(k.ID, m.Field, m.Version, *end)
			changed["ended_version"], changed["grace_until"] = m.Version, *end
		}
		if err != nil {
			return "", err
		}
		changed["secret_version"] = k.SecretVersion
	}
	next := k
	if whole && h.current != k.SecretVersion {
		if h.current < k.SecretVersion && known.PreviousHint != "" {
			next.Hint = known.PreviousHint
		}
		next.SecretVersion = h.current
		changed["secret_version"] = h.current
		if err := c.tx.UpdateCredential(next); err != nil {
			return "", err
		}
	}
	if whole && h.latest > max(known.Latest, next.SecretVersion) {
		known.Latest = h.latest
		changed["secret_version"] = next.SecretVersion
		if err := c.tx.PutRotation(k.ID, known); err != nil {
			return "", err
		}
	}
	if len(changed) == 0 {
		return "", nil
	}
	return JournalRotated, c.record(rulesOf(k.Kind).noun+".end_secret", keyTarget(next), fields{"secret_version": k.SecretVersion}, changed)
}
