package emulator_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/cniguard/cniguard/events"
	"github.com/cniguard/cniguard/internal/event"
)

// sample is one of the events in events/, about prod.
func sample(t *testing.T, name string) string {
	t.Helper()
	raw, err := events.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("prod-eu", prod.Name, "444455556666", hub).Replace(string(raw))
}

// happens has one of AWS's events arrive on the default bus, which a deployed rule must let through. Nobody may put events of
// AWS's sources on a bus, as in AWS: so it comes in an event of another source, which a rule of the test unwraps for the function.
func (s *stage) happens(raw string) {
	s.Helper()
	client := eventbridge.NewFromConfig(s.as(hub))
	if through := s.rulesFor("default", raw); len(through) != 1 {
		s.Fatalf("the rules %q let this through, want one of them: %s", through, raw)
	}
	name := aws.String("unwrap")
	if _, err := client.PutRule(s.Context(), &eventbridge.PutRuleInput{Name: name, EventPattern: aws.String(`{"source": ["wrapped"]}`)}); err != nil {
		s.Fatal(err)
	}
	if _, err := client.PutTargets(s.Context(), &eventbridge.PutTargetsInput{Rule: name, Targets: []ebtypes.Target{{
		Id: aws.String("urgent"), Arn: aws.String(functionARN(event.Urgent)), InputPath: aws.String("$.detail"),
	}}}); err != nil {
		s.Fatal(err)
	}
	s.put(s.as(hub), "default", "wrapped", "event", raw)
}

// wake puts one of cniguard's own events on its bus, as schedules, functions and people do. The emulator's own schedules do not:
// it fires them, with an event of Scheduler's own.
func (s *stage) wake(by aws.Config, trigger event.Trigger) {
	s.Helper()
	source, detailType, detail, err := event.Encode(trigger)
	if err != nil {
		s.Fatal(err)
	}
	s.put(by, "cniguard", source, detailType, string(detail))
}

func (s *stage) put(by aws.Config, bus, source, detailType, detail string) {
	s.Helper()
	out, err := eventbridge.NewFromConfig(by).PutEvents(s.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		EventBusName: &bus, Source: &source, DetailType: &detailType, Detail: &detail,
	}}})
	if err != nil || out.FailedEntryCount > 0 {
		s.Fatalf("put %s on %s: %v %+v", detailType, bus, err, out)
	}
}

// invoke has a function handle an event as EventBridge has it: asynchronously, with Lambda's retries and failure queue. The
// emulator's own EventBridge tries once only.
func (s *stage) invoke(function event.Target, raw string) {
	s.Helper()
	if _, err := lambda.NewFromConfig(s.as(hub)).Invoke(s.Context(), &lambda.InvokeInput{
		FunctionName: aws.String(functionARN(function)), InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(raw),
	}); err != nil {
		s.Fatal(err)
	}
}

func functionARN(f event.Target) string {
	return "arn:aws:lambda:" + region + ":" + hub + ":function:cniguard-" + string(f)
}

// rulesFor asks EventBridge which of the deployed rules of a bus let an event through.
func (s *stage) rulesFor(bus, raw string) (names []string) {
	s.Helper()
	client := eventbridge.NewFromConfig(s.as(hub))
	for _, r := range s.rules(s.as(hub), bus) {
		out, err := client.TestEventPattern(s.Context(), &eventbridge.TestEventPatternInput{Event: &raw, EventPattern: r.EventPattern})
		if err != nil {
			s.Fatalf("test the pattern of %s: %v", *r.Name, err)
		}
		if out.Result {
			names = append(names, *r.Name)
		}
	}
	return names
}

// rules are cniguard's rules of a bus.
func (e *emulator) rules(cfg aws.Config, bus string) []ebtypes.Rule {
	e.Helper()
	out, err := eventbridge.NewFromConfig(cfg).ListRules(e.Context(), &eventbridge.ListRulesInput{EventBusName: &bus, NamePrefix: aws.String("cniguard-")})
	if err != nil {
		e.Fatal(err)
	}
	return out.Rules
}
