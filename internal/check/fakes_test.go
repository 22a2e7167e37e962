package check_test

import (
	"context"
	"errors"
	"time"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

// The stage as an Observer. A cluster that it does not have does not exist.

func (s *stage) Observe(_ context.Context, id cluster.ID) guard.Snapshot {
	_ = s.note("observe %s", id.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, ok := s.seen[id]
	if !ok {
		seen = gone()
	}
	seen.At = s.now
	return seen
}

func (s *stage) Settle(_ context.Context, _ cluster.ID, step guard.Step) guard.Reading[*guard.Update] {
	_ = s.note("settle")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.update == nil || s.update.Created.Before(step.Since) {
		return guard.Read[*guard.Update](nil)
	}
	u := *s.update
	return guard.Read(&u)
}

func (s *stage) Clusters(_ context.Context, _ event.Unit, after string) ([]string, error) {
	if err := s.note("list after=%s", after); err != nil {
		return nil, err
	}
	var names []string
	for _, n := range s.listed {
		if n > after {
			names = append(names, n)
		}
	}
	return names, nil
}

// Do does an action as AWS would; an outcome that the test wants comes first.
func (s *stage) Do(_ context.Context, id cluster.ID, a guard.Action) guard.Outcome {
	_ = s.note("do "+string(a.Kind)+" of %s", id.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	o := guard.Outcome{Action: a, At: s.now}
	if s.outcome != nil {
		if o = s.outcome(a); o.Fault != nil {
			return o
		}
	}
	if a.Kind == guard.StartUpdate {
		o.ID = "update-1"
		s.update = &guard.Update{ID: o.ID, Status: "InProgress", Created: s.now}
	}
	return o
}

// updated is the end of the update that was started.
func (s *stage) updated() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.update.Status = "Successful"
	seen := s.seen[prod]
	seen.Addon = guard.Read(addon("v1.8.0-eksbuild.1"))
	s.seen[prod] = seen
}

// The stage as a Gauge.

func (s *stage) Subnets(_ context.Context, _ event.Unit, ids []string) ([]capacity.Subnet, error) {
	return s.subnets, s.note("subnets %v", ids)
}

func (s *stage) Publish(_ context.Context, u event.Unit, at time.Time, percent map[string]float64) error {
	if err := s.note("publish %s %s %s", u.Account, u.Region, at.Format(time.TimeOnly)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.percent = percent
	return nil
}

// The stage as a Teller and as a Waker.

func (s *stage) Tell(_ context.Context, m guard.Message) error {
	if err := s.note("tell %s of %s", m.News, m.Finding.Code); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, m)
	return nil
}

func (s *stage) Wake(_ context.Context, ts ...event.Trigger) error {
	if err := s.note("wake"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.woken = append(s.woken, ts...)
	return nil
}

// The stage as a Ledger: that in memory, with calls written down.

func (s *stage) Load(ctx context.Context, id cluster.ID) (check.Kept, error) {
	if err := s.note("load"); err != nil {
		return check.Kept{}, err
	}
	return s.Memory.Load(ctx, id)
}

func (s *stage) Save(ctx context.Context, k check.Kept) (check.Kept, error) {
	if err := s.note("save"); err != nil {
		return k, err
	}
	saved, err := s.Memory.Save(ctx, k)
	if s.lost != nil && err == nil && s.lost(s.count("save")) {
		return k, errors.New("the answer was lost")
	}
	return saved, err
}

func (s *stage) Due(ctx context.Context, now time.Time) ([]cluster.ID, error) {
	if err := s.note("due"); err != nil {
		return nil, err
	}
	return s.Memory.Due(ctx, now)
}

func (s *stage) In(ctx context.Context, u event.Unit) ([]check.Kept, error) {
	if err := s.note("in"); err != nil {
		return nil, err
	}
	return s.Memory.In(ctx, u)
}

func (s *stage) Orders(ctx context.Context, id cluster.ID) ([]guard.Order, error) {
	if err := s.note("orders"); err != nil {
		return nil, err
	}
	return s.Memory.Orders(ctx, id)
}

func (s *stage) Fleet(ctx context.Context) (guard.Fleet, error) {
	if err := s.note("fleet"); err != nil {
		return guard.Fleet{}, err
	}
	return s.Memory.Fleet(ctx)
}
