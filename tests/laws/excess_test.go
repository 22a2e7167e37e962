package laws_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/world"
)

func defectsOfBounds() []defect {
	flips := false
	return []defect{
		{law: "Bounds", name: "a ledger in which everything is due for ever", plant: allDue(), sees: "idle checks"},
		{law: "Bounds", name: "a reader of everything at every tick that never sees the same twice", plant: both(allDue(), addonThat(func(a *types.Addon) {
			if flips = !flips; flips {
				a.AddonVersion = aws.String("v1.99.0-eksbuild.1")
			}
		})), where: func(s *scene) { s.length, s.quiet = 16*time.Hour, 0 }, sees: "in 24 hours"},
		{law: "Bounds", name: "a ledger that forgets what was told, in which everything is due", plant: both(allDue(), ledgerThat(forgetful{load: func(k *check.Kept) {
			k.Record.Told = nil
		}})), sees: "messages"},
		{law: "Bounds", name: "a ledger that adds a message at each look, where nobody can be told", plant: ledgerThat(forgetful{load: func(k *check.Kept) {
			n := strconv.Itoa(k.Record.Sent + len(k.Record.Outbox))
			k.Record.Outbox = append(slices.Clone(k.Record.Outbox), guard.Message{Key: n, Thread: n, News: guard.Opened, Role: strings.Repeat("x", 8000)})
		}}), where: func(s *scene) { s.spec.Topics = []string{} }, sees: "bytes"},
	}
}

// hasty is a ledger in which all clusters are due, always.
type hasty struct {
	app.Ledger
	clusters []world.Cluster
}

func (h hasty) Due(context.Context, time.Time) ([]cluster.ID, error) {
	var all []cluster.ID
	for _, c := range h.clusters {
		all = append(all, cluster.ID{Account: c.Account, Region: c.Region, Name: c.Name})
	}
	return all, nil
}

func allDue() twist {
	return twist{alter: func(p *app.Parts, s scene) { p.Ledger = hasty{p.Ledger, s.spec.Clusters} }}
}

// both are two defects at once.
func both(a, b twist) twist {
	return twist{alter: func(p *app.Parts, s scene) {
		a.alter(p, s)
		b.alter(p, s)
	}}
}
