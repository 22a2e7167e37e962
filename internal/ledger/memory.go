// Package ledger keeps what cniguard remembers: a record for each cluster, what people ordered, the fleet's halt, and what
// sweeps came to.
//
// Dynamo keeps it in a DynamoDB table, which all functions and people share. Memory keeps it in the process: for simulations, for
// trying out and for tests. Package ledgertest holds what every ledger must do.
package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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
	mu      sync.Mutex
	items   map[cluster.ID]saved
	orders  map[cluster.ID]map[mine]guard.Order // a person's newest order for a cluster replaces the one before on the same matter
	halt    guard.Order                         // the newest order to the whole fleet
	rollout saved                               // how far the fleet's updates are
	probes  map[string]time.Time                // when their events came, by nonce
	trials  map[string]check.Trial              // of samples, by nonce
	sweeps  map[string]*swept                   // by run
	digests digests
}

// mine is one person's matter in a cluster: its updates, or a finding.
type mine struct {
	by      string
	finding guard.Code
}

type saved struct {
	version int64
	data    []byte
	record  guard.Record // decoded once; only read
}

// NewMemory is an empty ledger.
func NewMemory() *Memory {
	return &Memory{
		items: map[cluster.ID]saved{}, orders: map[cluster.ID]map[mine]guard.Order{}, probes: map[string]time.Time{}, trials: map[string]check.Trial{},
		sweeps: map[string]*swept{}, digests: digests{kept: map[string][]byte{}, done: map[string]time.Time{}},
	}
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
	err := guard.Readable(it.record.Schema)
	if err == nil {
		err = json.Unmarshal(it.data, &k.Record)
	}
	if err != nil {
		return check.Kept{Cluster: id}, fmt.Errorf("load record of %s: %w", id, err)
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
	it := saved{version: k.Version, data: data}
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
	return m.list(func(id cluster.ID) bool { return id.Account == u.Account && id.Region == u.Region })
}

// All lists every record, ordered by account, region and name. They share memory with the ledger: read them only.
func (m *Memory) All(context.Context) ([]check.Kept, error) {
	return m.list(func(cluster.ID) bool { return true })
}

func (m *Memory) list(wanted func(cluster.ID) bool) ([]check.Kept, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var kept []check.Kept
	for id, it := range m.items {
		if !wanted(id) {
			continue
		}
		if err := guard.Readable(it.record.Schema); err != nil {
			return nil, fmt.Errorf("list records: record of %s: %w", id, err)
		}
		kept = append(kept, check.Kept{Cluster: id, Record: it.record, Version: it.version})
	}
	slices.SortFunc(kept, func(a, b check.Kept) int { return cluster.Compare(a.Cluster, b.Cluster) })
	return kept, nil
}

// Orders lists what people ordered for a cluster, oldest first: of each person the newest word on its updates, and on each finding.
func (m *Memory) Orders(_ context.Context, id cluster.ID) ([]guard.Order, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	orders := slices.Collect(maps.Values(m.orders[id]))
	for _, o := range orders {
		if err := guard.Readable(o.Schema); err != nil {
			return nil, fmt.Errorf("read orders for %s: order of %s: %w", id, o.By, err)
		}
	}
	slices.SortFunc(orders, oldestFirst)
	return orders, nil
}

// Fleet reads the fleet's state.
func (m *Memory) Fleet(context.Context) (guard.Fleet, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := guard.Readable(m.halt.Schema); err != nil {
		return guard.Fleet{}, fmt.Errorf("read the fleet's halt: %w", err)
	}
	return standing(m.halt), nil
}

// Order writes a person's word. An approval, a denial or a word on a finding is for one cluster; a halt, a teardown or the end of either is for the
// fleet, and the cluster is not looked at.
func (m *Memory) Order(_ context.Context, id cluster.ID, o guard.Order) error {
	fleet, err := isToFleet(o.Kind)
	if err == nil {
		err = named(o)
	}
	if err != nil {
		return fmt.Errorf("write order for %s: %w", id, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if fleet {
		m.halt = o
		return nil
	}
	if m.orders[id] == nil {
		m.orders[id] = map[mine]guard.Order{}
	}
	m.orders[id][mine{o.By, o.Finding}] = o
	return nil
}
