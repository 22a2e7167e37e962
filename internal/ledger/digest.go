package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/guard"
)

// digestKey is the key of an owner's digest of an instant. Owners are what tags say: any text.
func digestKey(owner string, at time.Time) item {
	return item{"pk": text(digestPrefix + owner), "sk": text(stamp(at))}
}

func hoursKey(hours string) item { return item{"pk": text(digestsKey), "sk": text(hours)} }

// Digest reads an owner's digest of an instant, consistently; Version 0: there is none.
func (d *Dynamo) Digest(ctx context.Context, owner string, at time.Time) (check.KeptDigest, error) {
	var k check.KeptDigest
	it, err := d.get(ctx, digestKey(owner, at))
	if err == nil && it != nil {
		k, err = it.digest()
	}
	if err != nil {
		return check.KeptDigest{}, fmt.Errorf("load the digest of %q: %w", owner, err)
	}
	return k, nil
}

// SaveDigest stores a digest if it still has the version it was read with; else check.ErrConflict.
func (d *Dynamo) SaveDigest(ctx context.Context, k check.KeptDigest) (check.KeptDigest, error) {
	data, err := json.Marshal(k)
	if err == nil {
		it := digestKey(k.Digest.Owner, k.Digest.At)
		it["version"], it["schema"], it["digest"] = number(k.Version+1), number(guard.Schema), text(string(data))
		it["expires"] = number(k.Digest.At.Add(keepDigest).Unix())
		if !k.Due.IsZero() {
			it["due"], it["at"] = text(dueDigest), text(stamp(k.Due))
		}
		err = d.put(ctx, it, ifVersion(k.Version))
	}
	if err != nil {
		return k, fmt.Errorf("save the digest of %q: %w", k.Digest.Owner, err)
	}
	k.Version++
	return k, nil
}

// DueDigests lists those that are to be told by an instant, the longest overdue first: of each its owner, its instant and Due. The index is behind
// its table, as for Due: whoever tells one reads it first.
func (d *Dynamo) DueDigests(ctx context.Context, by time.Time) ([]check.KeptDigest, error) {
	found, err := d.query(ctx, dueBy(dueDigest, by))
	if err != nil {
		return nil, fmt.Errorf("list the digests that are due: %w", err)
	}
	var due []check.KeptDigest
	for _, it := range found { // ordered by when they are due
		owner, is := strings.CutPrefix(it.text("pk"), digestPrefix)
		at, err := time.Parse(time.RFC3339Nano, it.text("sk"))
		when, dueErr := time.Parse(time.RFC3339Nano, it.text("at"))
		if is && err == nil && dueErr == nil { // else it is somebody's who may write orders
			due = append(due, check.KeptDigest{Digest: guard.Digest{Owner: owner, At: at}, Due: when})
		}
	}
	return due, nil
}

// Digested is the last instant of these hours of which all digests were made; zero: none ever was.
func (d *Dynamo) Digested(ctx context.Context, hours string) (time.Time, error) {
	var done time.Time
	it, err := d.get(ctx, hoursKey(hours))
	if err == nil && it != nil {
		done, err = time.Parse(time.RFC3339Nano, it.text("done"))
	}
	if err != nil {
		return done, fmt.Errorf("load when the last digests of %s were made: %w", hours, err)
	}
	return done, nil
}

// SetDigested notes that all digests of an instant were made.
func (d *Dynamo) SetDigested(ctx context.Context, hours string, at time.Time) error {
	it := hoursKey(hours)
	it["done"] = text(stamp(at))
	if err := d.put(ctx, it, always()); err != nil {
		return fmt.Errorf("note that the digests of %s were made: %w", hours, err)
	}
	return nil
}

// digest is what an item keeps of one.
func (it item) digest() (k check.KeptDigest, err error) {
	if err := it.readable(); err != nil {
		return k, err
	}
	if err := json.Unmarshal([]byte(it.text("digest")), &k); err != nil {
		return k, err
	}
	k.Version, err = it.number("version")
	return k, err
}

// digests is what Memory keeps of them.
type digests struct {
	kept map[string][]byte // JSON, by key
	done map[string]time.Time
}

func (d digests) read(key string) (k check.KeptDigest, err error) {
	data, ok := d.kept[key]
	if !ok {
		return k, nil
	}
	var versioned struct {
		check.KeptDigest
		Version int64
	}
	err = json.Unmarshal(data, &versioned)
	k = versioned.KeptDigest
	k.Version = versioned.Version
	return k, err
}

// Digest reads an owner's digest of an instant; Version 0: there is none.
func (m *Memory) Digest(_ context.Context, owner string, at time.Time) (check.KeptDigest, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.digests.read(owner + stamp(at))
}

// SaveDigest stores a digest if it still has the version it was read with; else check.ErrConflict.
func (m *Memory) SaveDigest(_ context.Context, k check.KeptDigest) (check.KeptDigest, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := k.Digest.Owner + stamp(k.Digest.At)
	before, err := m.digests.read(key)
	if err == nil && before.Version != k.Version {
		err = check.ErrConflict
	}
	if err != nil {
		return k, fmt.Errorf("save the digest of %q: %w", k.Digest.Owner, err)
	}
	data, err := json.Marshal(struct {
		check.KeptDigest
		Version int64
	}{k, k.Version + 1})
	if err != nil {
		return k, fmt.Errorf("save the digest of %q: %w", k.Digest.Owner, err)
	}
	m.digests.kept[key] = data
	k.Version++
	return k, nil
}

// DueDigests lists those that are to be told by an instant, the longest overdue first: of each its owner, its instant and Due.
func (m *Memory) DueDigests(_ context.Context, by time.Time) ([]check.KeptDigest, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []check.KeptDigest
	for key := range m.digests.kept {
		k, err := m.digests.read(key)
		if err != nil {
			return nil, fmt.Errorf("list the digests that are due: %w", err)
		}
		if !k.Due.IsZero() && !k.Due.After(by) {
			due = append(due, k)
		}
	}
	slices.SortFunc(due, func(a, b check.KeptDigest) int {
		return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.Digest.Owner, b.Digest.Owner), a.Digest.At.Compare(b.Digest.At))
	})
	for i, k := range due {
		due[i] = check.KeptDigest{Digest: guard.Digest{Owner: k.Digest.Owner, At: k.Digest.At}, Due: k.Due}
	}
	return due, nil
}

// Digested is the last instant of these hours of which all digests were made; zero: none ever was.
func (m *Memory) Digested(_ context.Context, hours string) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.digests.done[hours], nil
}

// SetDigested notes that all digests of an instant were made.
func (m *Memory) SetDigested(_ context.Context, hours string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.digests.done[hours] = at
	return nil
}
