package cloud_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cloud"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/sim"
	"github.com/cniguard/cniguard/internal/world"
)

// drill uses a probe in a world in which calls may fail. What now gives is the alarm as it stands.
func drill(t *testing.T, faults []world.Fault, do func(ctx context.Context, p *cloud.Probe, now func() *types.MetricAlarm)) {
	t.Helper()
	const account, region, name = "111122223333", "eu-central-1", "p"
	clock := sim.New(start, 1)
	defer clock.Close()
	w, err := world.New(world.Spec{Start: start, Hub: world.Hub{Account: account, Region: region}, Faults: faults}, clock)
	if err != nil {
		t.Fatal(err)
	}
	p := cloud.NewProbe(cloudwatch.NewFromConfig(w.Config("arn:aws:iam::"+account+":role/ops", account, region)), clock)
	clock.Spawn(t.Context(), "person", 0, func(ctx context.Context) {
		do(ctx, p, func() *types.MetricAlarm {
			if a, stands := w.Alarm(account, region, name); stands {
				return &a
			}
			return nil
		})
	})
	clock.Run(start.Add(time.Hour))
}

func TestAProbeIsMadeRungAndRemoved(t *testing.T) {
	drill(t, nil, func(ctx context.Context, p *cloud.Probe, now func() *types.MetricAlarm) {
		if err := p.Make(ctx, "p"); err != nil {
			t.Fatal(err)
		}
		a := now()
		if a == nil || len(a.AlarmActions)+len(a.OKActions)+len(a.InsufficientDataActions) > 0 || *a.ActionsEnabled {
			t.Fatalf("it has actions: %+v", a)
		}
		if *a.Namespace == alarm.Namespace && *a.MetricName == alarm.Subnets {
			t.Error("it watches what the meter publishes")
		}
		if err := p.Ring(ctx, "p"); err != nil || now().StateValue != types.StateValueAlarm {
			t.Errorf("%s, %v", now().StateValue, err)
		}
		for range 2 {
			if err := p.Remove(ctx, "p"); err != nil || now() != nil {
				t.Errorf("removed: %v, %v", now(), err)
			}
		}
		if f := fault.Of(p.Ring(ctx, "p")); f == nil || f.Op != "cloudwatch:SetAlarmState" {
			t.Errorf("an alarm that is not there was rung: %v", f)
		}
	})
}

func TestOldProbesAreFound(t *testing.T) {
	const probe, other = "cniguard-doctor-K3QZ7M2VXWPLT5ORJAYB6DNHCE", "cniguard-doctor-pod-subnets"
	drill(t, nil, func(ctx context.Context, p *cloud.Probe, _ func() *types.MetricAlarm) {
		for _, name := range []string{probe, other} {
			if err := p.Make(ctx, name); err != nil {
				t.Fatal(err)
			}
		}
		for before, want := range map[time.Time][]string{start: nil, start.Add(time.Minute): {probe}} {
			if got, err := p.Old(ctx, before); err != nil || !slices.Equal(got, want) {
				t.Errorf("before %s: %v, %v", before, got, err)
			}
		}
	})
}

func TestWhatAProbeMayNotDoIsNamed(t *testing.T) {
	for op, do := range map[string]func(*cloud.Probe, context.Context) error{
		"PutMetricAlarm": func(p *cloud.Probe, ctx context.Context) error { return p.Make(ctx, "p") },
		"SetAlarmState":  func(p *cloud.Probe, ctx context.Context) error { return p.Ring(ctx, "p") },
		"DeleteAlarms":   func(p *cloud.Probe, ctx context.Context) error { return p.Remove(ctx, "p") },
		"DescribeAlarms": func(p *cloud.Probe, ctx context.Context) error { _, err := p.Old(ctx, start); return err },
	} {
		drill(t, []world.Fault{{Service: "cloudwatch", Operation: op, Code: "AccessDenied"}}, func(ctx context.Context, p *cloud.Probe, _ func() *types.MetricAlarm) {
			if f := fault.Of(do(p, ctx)); !f.Denied() || f.Need != "cloudwatch:"+op {
				t.Errorf("%s: %+v", op, f)
			}
		})
	}
}
