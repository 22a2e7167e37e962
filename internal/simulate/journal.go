package simulate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/world"
)

// journal makes lines of the world's history, and of what the functions decided.
type journal struct {
	world *world.World
	topic string     // of the people on call: what is told to the others is the same
	tell  func(Line) // nil: nobody reads it
	plans map[cluster.ID]guard.Plan
	held  map[cluster.ID][]string // what the last plan held back, as sameHold compares it
	// refused is what AWS last refused, by call and cluster.
	refused map[string]string
	sum     Summary
	tally   tally
}

func newJournal(w *world.World, topic string, tell func(Line)) journal {
	return journal{
		world: w, topic: topic, tell: tell, plans: map[cluster.ID]guard.Plan{}, held: map[cluster.ID][]string{}, refused: map[string]string{},
		sum: Summary{Told: map[guard.News]int{}}, tally: newTally(),
	}
}

// add tells a line about a cluster. Texts of others in it are cleaned, and say nothing of the add-on's configuration. Message is
// clean already, and has several lines.
func (j *journal) add(id cluster.ID, l Line) {
	if j.tell == nil {
		return
	}
	addon, _ := j.world.Addon(id)
	shown := func(s string, limit int) string { return plain.Clean(plain.Hide(s, addon.Configuration), limit) }
	if id.Name != "" {
		l.Cluster = shown(id.String(), plain.Text)
	}
	why := plain.Text
	if l.What == HeldBack { // a text for each gate
		why = plain.Line
	}
	l.Text, l.Why, l.Gates = shown(l.Text, plain.Text), shown(l.Why, why), slices.Clone(l.Gates)
	for i := range l.Gates {
		l.Gates[i].Text = shown(l.Gates[i].Text, plain.Text)
	}
	j.sum.count(l)
	j.tally.line(id, l)
	j.tell(l)
}

func (j *journal) note(at time.Time, id cluster.ID, what What, text, why string) {
	j.add(id, Line{At: at, What: what, Text: text, Why: why})
}

// planned notes what a plan holds back, where it is other than before. An update that is in flight is not held: it is being
// done.
func (j *journal) planned(at time.Time, id cluster.ID, p guard.Plan) {
	j.sum.Checks++
	j.plans[id] = p
	if p.Blind[guard.UpdateBlocked] && len(p.Held) == 0 {
		return // the cluster could not be read: whether it is still held is not known
	}
	j.tally.planned(at, id, p)
	now := make([]string, 0, len(p.Held))
	for _, h := range p.Held {
		hold := sameHold(h)
		now = append(now, hold)
		inFlight := slices.ContainsFunc(h.By, func(r guard.Reason) bool { return r.Gate == "in flight" })
		if inFlight || slices.Contains(j.held[id], hold) {
			continue
		}
		var why []string
		for _, r := range h.By {
			why = append(why, r.Gate+": "+plain.Clean(r.Text, plain.Text))
		}
		j.add(id, Line{At: at, What: HeldBack, Text: h.Action.String(), Why: strings.Join(why, "; "), Gates: h.By})
	}
	j.held[id] = now
}

// sameHold is equal for holds that are no news beside each other: a number in a reason, as that of free addresses, changes
// with every look.
func sameHold(h guard.Held) string {
	parts := []string{h.Action.String()}
	for _, r := range h.By {
		parts = append(parts, r.Gate, strings.TrimFunc(strings.Map(withoutDigits, r.Text), unicode.IsSpace))
	}
	return strings.Join(parts, "\n")
}

func withoutDigits(r rune) rune {
	if unicode.IsDigit(r) {
		return -1
	}
	return r
}

// see makes a line of what happened in the world, where it matters.
func (j *journal) see(e world.Entry) {
	switch e.Kind {
	case world.Called:
		j.called(e.Call)
	case world.Published:
		if e.What == j.topic {
			j.published(e)
		}
	case world.Invoked:
		if e.What == "to the failure queue" {
			j.givenUp(e)
		}
	case world.Truth:
		j.truth(e)
	}
}

func (j *journal) published(e world.Entry) {
	in := e.Data.(*sns.PublishInput)
	if attribute(in, "news") == "" {
		return // an alarm's own action: the line of its state says it
	}
	id := cluster.ID{Account: attribute(in, "account"), Region: attribute(in, "region"), Name: attribute(in, "cluster")}
	j.add(id, Line{
		At: e.At, What: Told, Text: notify.Headline(aws.ToString(in.Subject)),
		News: guard.News(attribute(in, "news")), Finding: guard.Code(attribute(in, "finding")), Severity: attribute(in, "severity"),
		Message: email(aws.ToString(in.Message)),
	})
}

// heralded makes a line of each message on the bus that people are told only with the next digest.
func (j *journal) heralded(at time.Time, entries []eventbridgetypes.PutEventsRequestEntry) {
	for _, e := range entries {
		if aws.ToString(e.Source) != event.NewsSource {
			continue
		}
		var m struct{ Lane, Account, Region, Cluster, Summary, News, Finding, Severity string }
		if err := json.Unmarshal([]byte(aws.ToString(e.Detail)), &m); err != nil || m.Lane != "digest" {
			continue // told at once, or a digest
		}
		j.add(cluster.ID{Account: m.Account, Region: m.Region, Name: m.Cluster}, Line{
			At: at, What: ForDigest, Text: m.Summary, News: guard.News(m.News), Finding: guard.Code(m.Finding), Severity: m.Severity, Message: aws.ToString(e.Detail),
		})
	}
}

func attribute(in *sns.PublishInput, name string) string {
	return aws.ToString(in.MessageAttributes[name].StringValue)
}

// email is the text for e-mail in a message of SNS's structure "json".
func email(message string) string {
	var shapes map[string]string
	if err := json.Unmarshal([]byte(message), &shapes); err != nil {
		return message
	}
	return shapes["email"]
}

// givenUp notes the event that was last put into the failure queue.
func (j *journal) givenUp(e world.Entry) {
	queue := j.world.FailureQueue()
	f := queue[len(queue)-1]
	t, _ := event.Decode(f.Event) // one that cannot be read belongs to no cluster
	var envelope struct {
		Source string `json:"source"`
		Type   string `json:"detail-type"`
	}
	_ = json.Unmarshal(f.Event, &envelope) // what cannot be read stays empty
	j.note(e.At, t.Cluster, GivenUp, fmt.Sprintf("%q from %s, after %d tries of the function %s", envelope.Type, envelope.Source, f.Tries, f.Function), f.Error)
}

func (j *journal) truth(e world.Entry) {
	switch data := e.Data.(type) {
	case world.AlarmChange:
		j.note(e.At, e.Cluster, AlarmState, fmt.Sprintf("%s: %s → %s", data.Name, data.From, data.To), "")
	case world.Outage:
		j.note(e.At, e.Cluster, Outage, e.Text, "")
	case world.Update:
		j.update(e, data)
	case world.Addon:
		if data.Status == "CREATING" || data.Status == "DELETING" {
			j.note(e.At, e.Cluster, AddonState, data.Version+" "+data.Status, "")
		}
	case world.DaemonSet:
		j.note(e.At, e.Cluster, Applied, e.Text, "")
	case nil:
		if what := What(e.What); what == ClusterState || what == AddonState || what == AccessGiven {
			j.note(e.At, e.Cluster, what, e.Text, "")
		}
	}
}

// update makes a line of the end of every update, and of the start of those of others: a start of ours is a call.
func (j *journal) update(e world.Entry, u world.Update) {
	others, text := "", u.From+" → "+u.To
	if !ours(u.By) {
		others = "somebody else's: " + u.By
	}
	switch {
	case !u.Ended.IsZero():
		why := u.Issue.Code
		if u.Issue.Message != "" {
			why += ": " + plain.Clean(u.Issue.Message, plain.Text)
		}
		j.note(e.At, e.Cluster, UpdateEnded, text+" "+u.Status, why)
		if others == "" {
			j.sum.ended(u.Status)
			j.tally.ended(e.Cluster, u.Status)
		}
	case others != "":
		j.note(e.At, e.Cluster, UpdateStarted, text, others)
	}
}

// ours reports whether a principal is one of cniguard's roles.
func ours(principal string) bool { return strings.Contains(principal, ":role/cniguard-") }

// called makes a line of a changing call of cniguard, with the reason its plan gave.
func (j *journal) called(c *world.Call) {
	if !ours(c.Principal) {
		return
	}
	if c.Service != "ledger" {
		j.sum.Calls++
	}
	if in, is := c.In.(*eventbridge.PutEventsInput); is && c.Effect {
		j.heralded(c.At, in.Entries)
	}
	l, id, kind := changes(c)
	if l.What == "" {
		return
	}
	for _, a := range j.plans[id].Actions {
		if a.Kind == kind {
			l.Why = a.Why
			if kind == guard.StartUpdate {
				l.Text = a.Step.From.String() + " → " + a.Step.To.String()
			}
		}
	}
	l.At = c.At
	j.sum.changed(kind, c)
	if c.Effect && kind == guard.StartUpdate {
		j.tally.of(id).Started++
	}
	j.answered(id, l, c)
}

// answered adds the line of a call that changes something. A refusal that comes again and again is one line.
func (j *journal) answered(id cluster.ID, l Line, c *world.Call) {
	call := c.Action() + " " + id.String()
	if c.Err == nil {
		delete(j.refused, call)
		j.add(id, l)
		return
	}
	_, _, kind := changes(c)
	l.Text, l.Why = string(kind)+" "+l.Text, access.Fault(c.Action(), c.Err).Error()
	if c.Effect {
		l.What = AnswerLost
		j.add(id, l)
		return
	}
	if refusal := l.Text + "\n" + l.Why; j.refused[call] != refusal {
		j.refused[call] = refusal
		l.What = Refused
		j.add(id, l)
	}
}

// changes is what a call changes and of which cluster; the empty Line: nothing.
func changes(c *world.Call) (l Line, id cluster.ID, kind guard.ActionKind) {
	id = cluster.ID{Account: c.Account, Region: c.Region}
	switch in := c.In.(type) {
	case *cloudwatch.PutMetricAlarmInput:
		id.Name, _ = alarm.Cluster(aws.ToString(in.AlarmName))
		unit := "%"
		if aws.ToString(in.MetricName) == alarm.Days {
			unit = "days"
		}
		return Line{What: AlarmPut, Text: fmt.Sprintf("%s at %g %s", aws.ToString(in.AlarmName), aws.ToFloat64(in.Threshold), unit)}, id, guard.PutAlarm
	case *cloudwatch.DeleteAlarmsInput:
		names := strings.Join(in.AlarmNames, " ")
		id.Name, _ = alarm.Cluster(names)
		return Line{What: AlarmDropped, Text: names}, id, guard.DropAlarm
	case *eks.UpdateAddonInput:
		id.Name = aws.ToString(in.ClusterName)
		return Line{What: UpdateStarted, Text: "to " + aws.ToString(in.AddonVersion)}, id, guard.StartUpdate
	}
	return Line{}, id, ""
}
