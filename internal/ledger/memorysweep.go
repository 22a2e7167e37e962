package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/check"
)

// swept is a sweep with its parts, by partKey.
type swept struct {
	version int64
	begun   time.Time
	data    []byte // nil: nobody opened it
	parts   map[string][]byte
}

// run is the sweep of a run, with its parts. The caller has the lock.
func (m *Memory) run(run string) *swept {
	if m.sweeps[run] == nil {
		m.sweeps[run] = &swept{parts: map[string][]byte{}}
	}
	return m.sweeps[run]
}

// PutSweep stores an open sweep where there is none of its run, and a closed one over the open one; else check.ErrConflict. Each one that
// is opened makes the ledger forget those that are past their time.
func (m *Memory) PutSweep(_ context.Context, s check.Sweep) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("save sweep %s: %w", s.Run, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := m.run(s.Run)
	if kept.version != sweepVersion(s)-1 {
		return fmt.Errorf("save sweep %s: %w", s.Run, check.ErrConflict)
	}
	kept.version, kept.begun, kept.data = sweepVersion(s), s.Begun, data
	maps.DeleteFunc(m.sweeps, func(_ string, other *swept) bool { return s.Begun.Sub(other.begun) > keepSweep })
	return nil
}

// Sweep reads one sweep; the zero Sweep when there is none of that run.
func (m *Memory) Sweep(_ context.Context, run string) (s check.Sweep, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if kept := m.sweeps[run]; kept != nil && kept.data != nil {
		err = json.Unmarshal(kept.data, &s)
	}
	return s, err
}

// Sweeps lists the sweeps that are known, the one that began last at the end.
func (m *Memory) Sweeps(context.Context) ([]check.Sweep, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []check.Sweep
	for _, kept := range m.sweeps {
		if kept.data == nil {
			continue
		}
		var s check.Sweep
		if err := json.Unmarshal(kept.data, &s); err != nil {
			return nil, fmt.Errorf("list sweeps: %w", err)
		}
		all = append(all, s)
	}
	slices.SortFunc(all, oldestSweepFirst)
	return all, nil
}

// PutPart stores a part of a sweep over one of the same unit that begins where it does.
func (m *Memory) PutPart(_ context.Context, run string, p check.Part) error {
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("save part %s of sweep %s: %w", partKey(p), run, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.run(run).parts[partKey(p)] = data
	return nil
}

// Parts lists the parts of a sweep, ordered by account, region and where they begin.
func (m *Memory) Parts(_ context.Context, run string) ([]check.Part, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := m.sweeps[run]
	if kept == nil {
		return nil, nil
	}
	parts := make([]check.Part, 0, len(kept.parts))
	for _, key := range slices.Sorted(maps.Keys(kept.parts)) {
		var p check.Part
		if err := json.Unmarshal(kept.parts[key], &p); err != nil {
			return nil, fmt.Errorf("list parts of sweep %s: %w", run, err)
		}
		parts = append(parts, p)
	}
	return parts, nil
}
