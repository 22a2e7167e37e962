package app_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

func TestEachTopicThatIsConfiguredIsTold(t *testing.T) {
	arn := func(c notify.Channel) string { return "arn:aws:sns:eu-central-1:444455556666:cniguard-" + string(c) }
	for name, channels := range map[string][]notify.Channel{
		"all":                 notify.Channels(),
		"no chat":             {notify.OnCall, notify.Machine},
		"nobody but a person": {notify.OnCall},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			h.topics = app.Topics{}
			var want []string
			for _, c := range channels {
				h.topics[c] = arn(c)
				want = append(want, arn(c))
				if c == notify.Machine {
					want = append(want, arn(c))
				}
			}
			waits := guard.Record{Outbox: []guard.Message{{Key: "a-1", Thread: "a", News: guard.Opened}}}
			if _, err := h.Save(t.Context(), check.Kept{Cluster: cluster.ID{Account: "111122223333", Region: "eu-central-1"}, Record: waits}); err != nil {
				t.Fatal(err)
			}
			if err := h.app().Handle(t.Context(), sample(t, "own-sweeping.json")); err != nil { // it may not be listed: programs are told
				t.Fatal(err)
			}
			slices.Sort(h.at)
			slices.Sort(want)
			if diff := cmp.Diff(want, h.at); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}
