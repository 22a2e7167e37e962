package check_test

import (
	"context"
	"errors"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
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

func (s *stage) Catalogue(_ context.Context, id cluster.ID, kubernetes string) guard.Reading[[]cni.Release] {
	if err := s.note("catalogue %s %s", id.Name, kubernetes); err != nil {
		return guard.Hidden[[]cni.Release](fault.Of(err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return guard.Read(s.catalogue)
}

func (s *stage) Configuration(_ context.Context, id cluster.ID, of cni.Version, _ string) guard.Reading[*guard.Configuration] {
	if err := s.note("configuration of %s for %s", id.Name, of); err != nil {
		return guard.Hidden[*guard.Configuration](fault.Of(err))
	}
	return guard.Read(&guard.Configuration{Of: of})
}

func (s *stage) Open(_ context.Context, id cluster.ID) guard.Reading[*guard.Open] {
	if err := s.note("open of %s", id.Name); err != nil {
		return guard.Hidden[*guard.Open](fault.Of(err))
	}
	return guard.Read(&guard.Open{})
}

func (s *stage) History(_ context.Context, id cluster.ID, since time.Time) guard.Reading[[]capacity.Point] {
	if err := s.note("history of %s since %s", id.Name, since.Format(time.DateOnly)); err != nil {
		return guard.Hidden[[]capacity.Point](fault.Of(err))
	}
	return guard.Read(append([]capacity.Point{}, s.history...))
}

func (s *stage) NodeMetrics(_ context.Context, id cluster.ID, helperID string) guard.Reading[*capacity.NodeMetrics] {
	if err := s.note("helper %s of %s", helperID, id.Name); err != nil {
		return guard.Hidden[*capacity.NodeMetrics](fault.Of(err))
	}
	return guard.Read(&capacity.NodeMetrics{})
}

func (s *stage) Network(_ context.Context, u event.Unit, vpc string, types []string) guard.Reading[*guard.Network] {
	if err := s.note("network %s of %s %v", vpc, u.Account, types); err != nil {
		return guard.Hidden[*guard.Network](fault.Of(err))
	}
	return guard.Read(&guard.Network{VPC: vpc})
}

func (s *stage) LastChange(_ context.Context, id cluster.ID) guard.Reading[*guard.LastChange] {
	if err := s.note("last change of %s", id.Name); err != nil {
		return guard.Hidden[*guard.LastChange](fault.Of(err))
	}
	return guard.Read(&s.lastChange)
}

func (s *stage) Alarms(_ context.Context, u event.Unit) ([]string, error) {
	return s.standing, s.note("alarms of %s", u.Account)
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

func (s *stage) Blocks(_ context.Context, u event.Unit, subnets []capacity.Subnet) (map[string]capacity.Blocks, error) {
	var ids []string
	for _, n := range subnets {
		ids = append(ids, n.ID)
	}
	return s.blocks, s.note("blocks of %s %v", u.Account, ids)
}

func (s *stage) Publish(_ context.Context, u event.Unit, at time.Time, values []alarm.Value) error {
	if err := s.note("publish %s %s %s", u.Account, u.Region, at.Format(time.TimeOnly)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.percent == nil {
		s.percent = map[string]float64{}
	}
	s.values = append(s.values, values...)
	for _, v := range values {
		if v.Metric == alarm.Subnets {
			s.percent[v.Cluster] = v.Value
		}
	}
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

func (s *stage) TellDigest(_ context.Context, d guard.Digest) error {
	return s.note("tellDigest of %s", d.Owner)
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

func (s *stage) Rollout(ctx context.Context) (guard.Rollout, error) {
	if err := s.note("rollout"); err != nil {
		return guard.Rollout{}, err
	}
	return s.Memory.Rollout(ctx)
}

func (s *stage) SaveRollout(ctx context.Context, r guard.Rollout) error {
	if err := s.note("slot"); err != nil {
		return err
	}
	return s.Memory.SaveRollout(ctx, r)
}

func (s *stage) Digest(ctx context.Context, owner string, at time.Time) (check.KeptDigest, error) {
	if err := s.note("digest"); err != nil {
		return check.KeptDigest{}, err
	}
	return s.Memory.Digest(ctx, owner, at)
}

func (s *stage) SaveDigest(ctx context.Context, k check.KeptDigest) (check.KeptDigest, error) {
	if err := s.note("saveDigest"); err != nil {
		return k, err
	}
	return s.Memory.SaveDigest(ctx, k)
}

func (s *stage) DueDigests(ctx context.Context, by time.Time) ([]check.KeptDigest, error) {
	if err := s.note("dueDigests"); err != nil {
		return nil, err
	}
	return s.Memory.DueDigests(ctx, by)
}

func (s *stage) Digested(ctx context.Context, hours string) (time.Time, error) {
	if err := s.note("digested"); err != nil {
		return time.Time{}, err
	}
	return s.Memory.Digested(ctx, hours)
}

func (s *stage) SetDigested(ctx context.Context, hours string, at time.Time) error {
	if err := s.note("setDigested"); err != nil {
		return err
	}
	return s.Memory.SetDigested(ctx, hours, at)
}

func (s *stage) PutSweep(ctx context.Context, sw check.Sweep) error {
	if err := s.note("putsweep"); err != nil {
		return err
	}
	return s.Memory.PutSweep(ctx, sw)
}

func (s *stage) Sweep(ctx context.Context, run string) (check.Sweep, error) {
	if err := s.note("sweep"); err != nil {
		return check.Sweep{}, err
	}
	return s.Memory.Sweep(ctx, run)
}

func (s *stage) Sweeps(ctx context.Context) ([]check.Sweep, error) {
	if err := s.note("sweeps"); err != nil {
		return nil, err
	}
	return s.Memory.Sweeps(ctx)
}

func (s *stage) PutPart(ctx context.Context, run string, p check.Part) error {
	if err := errors.Join(ctx.Err(), s.note("putpart")); err != nil {
		return err
	}
	return s.Memory.PutPart(ctx, run, p)
}

func (s *stage) Parts(ctx context.Context, run string) ([]check.Part, error) {
	if err := s.note("parts"); err != nil {
		return nil, err
	}
	return s.Memory.Parts(ctx, run)
}

// The stage as those who listen on the hub's bus.

func (s *stage) Swept(_ context.Context, c check.Coverage) error {
	if err := s.note("swept"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, c)
	return nil
}
