// Package ledger keeps what cniguard remembers: a record for each cluster, what people ordered, and the fleet's halt.
//
// Memory keeps it in the process: for simulations, for a person's desk and for tests. Package ledgertest holds what every
// ledger must do.
package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

// Memory is a ledger in memory. It is safe for use by several goroutines. Records are kept as JSON, so that nothing that is
// handed out is shared and nothing is kept that a database could not keep.
type Memory struct {
	mu     sync.Mutex
	items  map[cluster.ID]item
	orders map[cluster.ID]map[string]guard.Order // by writer: a person's newest order for a cluster replaces the one before
	halt   *guard.Order
}

type item struct {
	version int64
	data    []byte
	record  guard.Record // decoded once; only read
}

// NewMemory is an empty ledger.
func NewMemory() *Memory {
	return &Memory{items: map[cluster.ID]item{}, orders: map[cluster.ID]map[string]guard.Order{}}
}

// Load reads one record; the zero Record and Version 0 when there is none.
func (m *Memory) Load(_ context.Context, id cluster.ID) (check.Kept, error) {
	m.mu.Lock()
	it, ok := m.items[id]
	m.mu.Unlock()
	k := check.Kept{Cluster: id, Version: it.version}
	if !ok {
		return k, nil
	}
	if err := json.Unmarshal(it.data, &k.Record); err != nil {
		return k, fmt.Errorf("load record of %s: %w", id, err)
	}
	return k, nil
}

// Save stores a record if it still has the version it was loaded with; else check.ErrConflict.
func (m *Memory) Save(_ context.Context, k check.Kept) (check.Kept, error) {
	data, err := json.Marshal(k.Record)
	if err != nil {
		return k, fmt.Errorf("save record of %s: %w", k.Cluster, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.items[k.Cluster].version != k.Version {
		return k, fmt.Errorf("save record of %s: %w", k.Cluster, check.ErrConflict)
	}
	k.Version++
	it := item{version: k.Version, data: data}
	if err := json.Unmarshal(data, &it.record); err != nil {
		return k, fmt.Errorf("save record of %s: %w", k.Cluster, err)
	}
	m.items[k.Cluster] = it
	return k, nil
}

// Due lists the clusters whose record's Wake has come, the longest overdue first.
func (m *Memory) Due(_ context.Context, now time.Time) ([]cluster.ID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []cluster.ID
	for id, it := range m.items {
		if wake := it.record.Wake(); !wake.IsZero() && !wake.After(now) {
			due = append(due, id)
		}
	}
	slices.SortFunc(due, func(a, b cluster.ID) int {
		if c := m.items[a].record.Wake().Compare(m.items[b].record.Wake()); c != 0 {
			return c
		}
		return cluster.Compare(a, b)
	})
	return due, nil
}

// In lists the records of a unit, ordered by name. They share memory with the ledger: read them only.
func (m *Memory) In(_ context.Context, u event.Unit) ([]check.Kept, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var kept []check.Kept
	for id, it := range m.items {
		if id.Account == u.Account && id.Region == u.Region {
			kept = append(kept, check.Kept{Cluster: id, Record: it.record, Version: it.version})
		}
	}
	slices.SortFunc(kept, func(a, b check.Kept) int { return cluster.Compare(a.Cluster, b.Cluster) })
	return kept, nil
}

// All lists every record, ordered by account, region and name.
func (m *Memory) All() []check.Kept {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := make([]check.Kept, 0, len(m.items))
	for id, it := range m.items {
		kept = append(kept, check.Kept{Cluster: id, Record: it.record, Version: it.version})
	}
	slices.SortFunc(kept, func(a, b check.Kept) int { return cluster.Compare(a.Cluster, b.Cluster) })
	return kept
}

// Orders lists what people ordered for a cluster, oldest first: of each person the newest word.
func (m *Memory) Orders(_ context.Context, id cluster.ID) ([]guard.Order, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	orders := make([]guard.Order, 0, len(m.orders[id]))
	for _, o := range m.orders[id] {
		orders = append(orders, o)
	}
	slices.SortFunc(orders, func(a, b guard.Order) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.By, b.By)
	})
	return orders, nil
}

// Fleet reads the fleet's state.
func (m *Memory) Fleet(context.Context) (guard.Fleet, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.halt == nil {
		return guard.Fleet{}, nil
	}
	h := *m.halt
	return guard.Fleet{Halt: &h}, nil
}

// Order writes a person's word. An approval or a denial is for one cluster; a halt or its end is for the fleet, and the
// cluster is not looked at.
func (m *Memory) Order(_ context.Context, id cluster.ID, o guard.Order) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch o.Kind {
	case guard.Halting:
		m.halt = &o
	case guard.Resuming:
		m.halt = nil
	case guard.Approval, guard.Denial:
		if m.orders[id] == nil {
			m.orders[id] = map[string]guard.Order{}
		}
		m.orders[id][o.By] = o
	default:
		return fmt.Errorf("write order for %s: kind %q is not one of approve, deny, halt, resume", id, o.Kind)
	}
	return nil
}
