package authority

import (
	"cmp"
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

// secretHistory is what journals know of the secrets of one credential.
type secretHistory struct {
	current int                // the highest version that has no end
	latest  int                // the highest that was given out
	ends    map[int]*time.Time // of versions that are asked for; nil: open again
}

// historyOf tells of versions of a credential's secrets. The order of entries counts for
// nothing: a rotation was rolled back exactly if the version it made was.
func historyOf(entries []JournalEntry, versions []int) secretHistory {
	h := secretHistory{latest: 1, ends: map[int]*time.Time{}}
	rolledBack := map[int]bool{}
	for _, e := range entries {
		if e.Action == JournalRotationRolledBack {
			rolledBack[e.EndedVersion] = true
			h.end(e.EndedVersion, e.At)
			h.latest = max(h.latest, e.EndedVersion)
		}
	}
	replaced := 0 // all versions up to this one
	for _, e := range entries {
		if e.Action != JournalRotated {
			continue
		}
		made := cmp.Or(e.NewVersion, e.SecretVersion+1)
		h.latest = max(h.latest, made)
		for _, v := range versions {
			if _, told := h.ends[v]; v > e.SecretVersion || told && rolledBack[made] {
				continue
			}
			if rolledBack[made] {
				h.ends[v] = nil
			} else {
				h.end(v, *e.ValidUntil)
			}
		}
		if !rolledBack[made] {
			replaced = max(replaced, e.SecretVersion)
		}
	}
	h.current = h.latest
	for h.current > replaced+1 && rolledBack[h.current] {
		h.current--
	}
	return h
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
