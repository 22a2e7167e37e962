package emulator_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

func TestAHaltHoldsAnApprovedUpdateUntilSomebodyResumes(t *testing.T) {
	t.Parallel()
	s := set(t)
	s.readyToUpdate()
	operator := s.person("operator")
	s.cniguard(operator, "halt", "--because", "freeze")
	s.cniguard(s.person("approver"), "approve", prod.Name, "--because", "seen in staging")
	eventually(t, "nothing but the halt holds the update", func() bool { return slices.Equal(s.kept(prod).Record.Shut(), []string{"halt"}) })
	if updates := s.front.updatesOf(prod.Name); len(updates) > 0 {
		t.Errorf("updates were started: %v", updates)
	}
	s.cniguard(operator, "resume", "--because", "the freeze is over")
	eventually(t, "the add-on is updated", func() bool { return aws.ToString(s.addon().AddonVersion) == "v1.19.0-eksbuild.1" })
}

func TestTheFleetIsSweptLookedAtAndTornDownInAllAccounts(t *testing.T) {
	t.Parallel()
	s := set(t)
	other := cluster.ID{Account: member, Region: region, Name: "other"}
	s.seed(other, "v1.18.0-eksbuild.1")
	s.deployMember(s.as(member), s.assembly)
	s.trail()
	admin := s.as(hub)
	s.wake(admin, event.Trigger{Kind: event.Sweep})
	eventually(t, "both clusters are known", func() bool {
		return s.kept(prod).Record.Verdict.Word == guard.Outdated && s.kept(other).Record.Verdict.Word == guard.Outdated
	})
	if s.alarm(prod) == nil || s.alarm(other) == nil {
		t.Errorf("alarms: %v of %s, %v of %s", s.alarm(prod), prod, s.alarm(other), other)
	}
	if status := s.cniguard(admin, "status"); !strings.Contains(status, "2 clusters") || !strings.Contains(status, "2 outdated") {
		t.Errorf("status: %s", status)
	}
	s.examined(admin)
	s.cniguard(admin, "teardown", "--because", "the trial is over")
	if s.alarm(prod) != nil || s.alarm(other) != nil {
		t.Errorf("alarms are left: %v of %s, %v of %s", s.alarm(prod), prod, s.alarm(other), other)
	}
}

// examined runs doctor, which fails where there is a problem. The emulator sends no events of alarms: that of the doctor's comes by hand.
func (s *stage) examined(who aws.Config) {
	s.Helper()
	var out bytes.Buffer
	doctor := s.command(who, "doctor")
	doctor.Stdout, doctor.Stderr = &out, &out
	if err := doctor.Start(); err != nil {
		s.Fatal(err)
	}
	var rung []types.MetricAlarm
	eventually(s.T, "the doctor's alarm is in ALARM", func() bool {
		rung = s.probes(types.StateValueAlarm)
		return len(rung) == 1
	})
	s.happens(strings.ReplaceAll(sample(s.T, "alarm-probe.json"), "cniguard-doctor-K3QZ7M2VXWPLT5ORJAYB6DNHCE", *rung[0].AlarmName))
	if err := doctor.Wait(); err != nil || !strings.Contains(out.String(), "ok       alarm path: an alarm's event arrived") {
		s.Errorf("doctor: %v: %s", err, &out)
	}
	if left := s.probes(""); len(left) > 0 {
		s.Errorf("alarms are left: %v", left)
	}
}

// probes are the doctor's alarms in a state; empty: in any.
func (s *stage) probes(state types.StateValue) []types.MetricAlarm {
	s.Helper()
	out, err := cloudwatch.NewFromConfig(s.as(hub)).DescribeAlarms(s.Context(), &cloudwatch.DescribeAlarmsInput{
		AlarmNamePrefix: aws.String("cniguard-doctor-"), StateValue: state,
	})
	if err != nil {
		s.Fatal(err)
	}
	return out.MetricAlarms
}

// trail has CloudTrail record what is done in the hub's account, in all regions: doctor would miss it.
func (e *emulator) trail() {
	e.Helper()
	client, name := cloudtrail.NewFromConfig(e.as(hub)), aws.String("all")
	if _, err := client.CreateTrail(e.Context(), &cloudtrail.CreateTrailInput{Name: name, S3BucketName: aws.String("trail"), IsMultiRegionTrail: aws.Bool(true)}); err != nil {
		e.Fatal(err)
	}
	if _, err := client.StartLogging(e.Context(), &cloudtrail.StartLoggingInput{Name: name}); err != nil {
		e.Fatal(err)
	}
}
