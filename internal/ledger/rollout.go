package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/guard"
)

func rolloutKey() item { return item{"pk": text(rolloutsKey), "sk": text(rolloutsKey)} }

// Rollout reads how far the fleet's updates are, consistently; Version 0: nothing was updated yet.
func (d *Dynamo) Rollout(ctx context.Context) (guard.Rollout, error) {
	var r guard.Rollout
	it, err := d.get(ctx, rolloutKey())
	if err == nil && it != nil {
		r, err = it.rollout()
	}
	if err != nil {
		return guard.Rollout{}, fmt.Errorf("load the fleet's updates: %w", err)
	}
	return r, nil
}

// SaveRollout stores it if it still has the version it was read with; else check.ErrConflict.
func (d *Dynamo) SaveRollout(ctx context.Context, r guard.Rollout) error {
	data, err := json.Marshal(r)
	if err == nil {
		it := rolloutKey()
		it["version"], it["schema"], it["rollout"] = number(r.Version+1), number(guard.Schema), text(string(data))
		err = d.put(ctx, it, ifVersion(r.Version))
	}
	if err != nil {
		return fmt.Errorf("save the fleet's updates: %w", err)
	}
	return nil
}

// rollout is what an item keeps of it.
func (it item) rollout() (r guard.Rollout, err error) {
	if err := it.readable(); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(it.text("rollout")), &r); err != nil {
		return r, err
	}
	r.Version, err = it.number("version")
	return r, err
}

// Rollout reads how far the fleet's updates are; Version 0: nothing was updated yet.
func (m *Memory) Rollout(context.Context) (guard.Rollout, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var r guard.Rollout
	if m.rollout.data == nil {
		return r, nil
	}
	if err := json.Unmarshal(m.rollout.data, &r); err != nil {
		return guard.Rollout{}, fmt.Errorf("load the fleet's updates: %w", err)
	}
	r.Version = m.rollout.version
	return r, nil
}

// SaveRollout stores it if it still has the version it was read with; else check.ErrConflict.
func (m *Memory) SaveRollout(_ context.Context, r guard.Rollout) error {
	data, err := json.Marshal(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil && m.rollout.version != r.Version {
		err = check.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("save the fleet's updates: %w", err)
	}
	m.rollout = saved{version: r.Version + 1, data: data}
	return nil
}
