package stack_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/event"
)

// law is a property that every template of a hub has.
type law struct {
	name  string
	holds func(template map[string]any) complaints
}

func laws() []law {
	return []law{
		{"nothing that is sent gets lost in silence", everyEdgeHasAQueue},
		{"the failure queue takes what rules cannot deliver", theQueueIsOpenToRules},
		{"queue and topics are encrypted and want TLS", encrypted},
		{"CloudWatch can speak under the key", theKeyServesAlarms},
		{"the ledger outlives the stack", theLedgerIsSafe},
		{"logs end some day", logsEnd},
		{"each event reaches one function once", eventsReachOneFunction},
		{"only members' rules may put events on the bus", theBusIsShut},
		{"schedules send what the program reads", schedulesAreRead},
		{"no allowance is wider than its reason", nothingIsWide},
		{"no service acts for a stranger", servicesActForUs},
		{"every value that is asked for is there", setsAreNotEmpty},
		{"functions may do what is listed, and no more", functionsMay},
		{"functions leave their network to Lambda", networkIsLambdas},
		{entriesLaw, entriesAreLeast},
		{"people write in their own name, and programs never do", ordersArePeoples},
		{"every alarm reaches people", alarmsReachPeople},
	}
}

func TestHubsKeepTheLaws(t *testing.T) {
	for name, template := range map[string]map[string]any{"least": hub(t, least(t)), "full": hub(t, full(t))} {
		for _, l := range laws() {
			if wrong := l.holds(template); len(wrong) > 0 {
				t.Errorf("%s: %s:\n%s", name, l.name, wrong)
			}
		}
	}
}

// Every asynchronous hand-over has a queue for what fails, and gives up well below the six hours in which Lambda would.
func everyEdgeHasAQueue(template map[string]any) (c complaints) {
	queued := func(what string, target any, retries, age string) {
		if queue := text(at(target, "DeadLetterConfig", "Arn")); queue != "Failed.Arn" {
			c.add("%s has the dead-letter queue %q", what, queue)
		}
		if n, ok := at(target, retries, age).(float64); !ok || n < 60 || n > 2*60*60 {
			c.add("%s gives up after %v s", what, at(target, retries, age))
		}
	}
	for _, r := range ofType(template, "AWS::Events::Rule") {
		targets, _ := r.props["Targets"].([]any)
		if len(targets) != 1 {
			c.add("%s has %d targets", r.id, len(targets))
		}
		for _, target := range targets {
			queued(r.id, target, "RetryPolicy", "MaximumEventAgeInSeconds")
		}
	}
	for _, s := range ofType(template, "AWS::Scheduler::Schedule") {
		queued(s.id, s.props["Target"], "RetryPolicy", "MaximumEventAgeInSeconds")
	}
	configs := ofType(template, "AWS::Lambda::EventInvokeConfig")
	for _, f := range ofType(template, "AWS::Lambda::Function") {
		i := slices.IndexFunc(configs, func(r resource) bool { return text(r.props["FunctionName"]) == f.id })
		if i < 0 {
			c.add("%s has no destination for what fails", f.id)
			continue
		}
		p := configs[i].props
		c.want(f.id+": destination", text(at(p, "DestinationConfig", "OnFailure", "Destination")), "Failed.Arn")
		c.want(f.id+": retries", text(p["MaximumRetryAttempts"]), "2")
		c.want(f.id+": age", text(p["MaximumEventAgeInSeconds"]), "3600")
	}
	return c
}

func theQueueIsOpenToRules(template map[string]any) (c complaints) {
	allowed := of(statements(template), "FailedPolicy", "Allow")
	if len(allowed) != 1 || !slices.Equal(allowed[0].principals["Service"], []string{"events.amazonaws.com"}) || !slices.Equal(allowed[0].actions, []string{"sqs:SendMessage"}) {
		c.add("allowed is %+v", allowed)
		return c
	}
	patterns := allowed[0].value("ArnLike", "aws:SourceArn")
	for _, r := range ofType(template, "AWS::Events::Rule") {
		rule := "arn:aws:events:eu-central-1:444455556666:rule/"
		if bus := text(r.props["EventBusName"]); bus != "default" {
			rule += "cniguard/"
		}
		rule += text(r.props["Name"])
		if !slices.ContainsFunc(patterns, func(p string) bool { return strings.HasPrefix(rule, strings.TrimSuffix(p, "*")) }) {
			c.add("%s is let in by none of %v", rule, patterns)
		}
	}
	return c
}

// No event of AWS is on two buses: the hub's region is not forwarded, so a rule that hands on to a bus would double it.
func eventsReachOneFunction(template map[string]any) (c complaints) {
	have := map[string]string{}
	for _, r := range ofType(template, "AWS::Events::Rule") {
		have[text(r.props["EventBusName"])+" "+text(r.props["Name"])] = text(r.props["EventPattern"]) + " to " + text(at(r.props["Targets"], "Arn"))
	}
	want := map[string]string{}
	for _, r := range event.Rules() {
		pattern, err := json.Marshal(r.Pattern)
		if err != nil {
			c.add("%v", err)
		}
		to := fmt.Sprintf("%s to %s.Arn", pattern, functionID(template, "cniguard-"+string(r.Target)))
		want["Bus cniguard-"+r.Name] = to
		if r.Name != "checks" && r.Name != "bulk-work" {
			want["default cniguard-"+r.Name] = to
		}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		c.add("rules (-want +got):\n%s", diff)
	}
	invoked := map[string]bool{}
	for _, p := range ofType(template, "AWS::Lambda::Permission") {
		c.want(p.id+": principal", text(p.props["Principal"]), "events.amazonaws.com")
		invoked[text(p.props["SourceArn"])+" "+text(p.props["FunctionName"])+".Arn"] = true
	}
	for _, r := range ofType(template, "AWS::Events::Rule") {
		if edge := r.id + ".Arn " + text(at(r.props["Targets"], "Arn")); !invoked[edge] {
			c.add("no permission for %s", edge)
		}
	}
	return c
}

func functionID(template map[string]any, name string) string {
	for _, f := range ofType(template, "AWS::Lambda::Function") {
		if text(f.props["FunctionName"]) == name {
			return f.id
		}
	}
	return ""
}

func schedulesAreRead(template map[string]any) (c complaints) {
	have := map[string]string{}
	for _, s := range ofType(template, "AWS::Scheduler::Schedule") {
		target := s.props["Target"]
		input := strings.ReplaceAll(text(at(target, "Input")), "<aws.scheduler.scheduled-time>", "2026-11-23T09:30:00Z")
		raw := fmt.Appendf(nil, `{"id":"1","source":%q,"detail-type":%q,"account":"444455556666","region":"eu-central-1","time":"2026-11-23T09:30:07Z","detail":%s}`,
			text(at(target, "EventBridgeParameters", "Source")), text(at(target, "EventBridgeParameters", "DetailType")), input)
		trigger, err := event.Decode(raw)
		if err != nil {
			c.add("%s: %v", s.id, err)
		}
		have[text(s.props["Name"])] = fmt.Sprintf("%s %s of %s to %s", text(s.props["ScheduleExpression"]), trigger.Kind, trigger.At.Format("15:04:05"), text(at(target, "Arn")))
	}
	want := map[string]string{
		"cniguard-tick":  "rate(5 minutes) tick of 09:30:00 to Bus.Arn",
		"cniguard-meter": "rate(5 minutes) meter of 09:30:00 to Bus.Arn",
		"cniguard-sweep": "rate(6 hours) sweep of 09:30:00 to Bus.Arn",
	}
	if diff := cmp.Diff(want, have); diff != "" {
		c.add("schedules (-want +got):\n%s", diff)
	}
	return c
}
