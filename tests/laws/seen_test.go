package laws_test

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/world"
)

// work is what one event makes a function do, in all tries and copies of it.
type work struct {
	running int  // copies at this moment
	doubled bool // two of them ran at the same time
	calls   []*world.Call
	letters []*letter // published, and not known to be saved as such
}

// ask is a call of UpdateAddon by us, or the update that EKS started for it.
type ask struct {
	id     cluster.ID
	at     time.Time
	to     string
	update world.Update // that EKS started
	before world.Addon  // the add-on when it did
	call   *world.Call
	work   *work
}

// letter is a message that SNS took, as the schema of docs/messages.md has it.
type letter struct {
	taken    time.Time
	topic    string
	doubtful bool // who published it could not know, or died before it could remember
	Key      string
	DedupKey string
	Lane     string
	Owner    string
	Items    map[string]time.Time // of a digest: the matters in it, and the times of their news
	News     string
	Finding  string
	Severity string
	Account  string
	Region   string
	Cluster  string
	At       time.Time
	Version  string
	Facts    []struct{ Name, Value string }
	Verdict  struct {
		Word                               string
		Install, Version, Capacity, Change struct{ Word, Because string }
	}
}

func (l *letter) id() cluster.ID {
	return cluster.ID{Account: l.Account, Region: l.Region, Name: l.Cluster}
}

func (l *letter) fact(name string) string {
	for _, f := range l.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// see leads an entry of the world's history to the laws.
func (s *stage) see(e world.Entry) {
	s.follow(e)
	switch e.Kind {
	case world.Called:
		s.seeCall(e.Call)
	case world.Invoked:
		s.seeWork(e)
	case world.Truth:
		if u, ok := e.Data.(world.Update); ok && u.Ended.IsZero() && strings.HasSuffix(u.By, ":role/cniguard-updater") {
			s.seeStart(e.Cluster, u)
		}
	}
	for _, l := range s.laws {
		if l.entry != nil {
			l.entry(e)
		}
	}
}

// workOf is the work of a request id; for a person's command, of nobody.
func (s *stage) workOf(request string) *work {
	if s.works[request] == nil {
		s.works[request] = &work{}
	}
	return s.works[request]
}

func (s *stage) seeWork(e world.Entry) {
	t := e.Data.(world.Try)
	w := s.workOf(t.Request)
	s.tally[e.What]++
	switch e.What {
	case "start":
		if w.running++; w.running > 1 {
			w.doubled = true
		} else {
			*w = work{running: 1}
		}
	case "to the failure queue":
		s.failedAt(t.Event)
	default:
		w.running--
		if e.What != "ok" {
			w.doubt()
		}
	}
}

// doubt marks what was published and perhaps not remembered.
func (w *work) doubt() {
	for _, l := range w.letters {
		l.doubtful = true
	}
	w.letters = nil
}

// seeStart is when EKS has started an update of ours and changed nothing yet.
func (s *stage) seeStart(id cluster.ID, u world.Update) {
	before, _ := s.run.World.Addon(id)
	a := &ask{id: id, at: s.run.Now(), to: u.To, update: u, before: before}
	s.asks = append(s.asks, a)
	s.tally["updates of ours"]++
	for _, l := range s.laws {
		if l.started != nil {
			l.started(id, a)
		}
	}
}

func (s *stage) seeCall(c *world.Call) {
	if !ours(c.Principal) {
		return
	}
	w := s.workOf(c.Invocation)
	var answer smithy.APIError
	if errors.As(c.Err, &answer) {
		s.tally["answer "+c.Service+" "+answer.ErrorCode()]++
	}
	switch in := c.In.(type) {
	case *eks.UpdateAddonInput:
		s.seeAsk(c, in, w)
	case *sns.PublishInput:
		if c.Effect {
			s.seeLetter(c, in, w)
		}
	case *eventbridge.PutEventsInput:
		if c.Effect {
			s.seeNews(c, in, w)
		}
	}
	if strings.HasPrefix(meant(c), "ledger:") && c.Err != nil && !isConflict(c.Err) {
		w.doubt()
		if meant(c) == "ledger:Orders" {
			s.deaf = append(s.deaf, s.run.Now())
		}
	}
	w.calls = append(w.calls, c)
	for _, l := range s.laws {
		if l.called != nil {
			l.called(c, w)
		}
	}
}

// meant is the ledger's operation that a call is a part of, wherever the ledger is kept; of other services the call's own name.
func meant(c *world.Call) string {
	switch in := c.In.(type) {
	case *dynamodb.GetItemInput:
		switch pk := textOf(in.Key["pk"]); {
		case pk == "HALT":
			return "ledger:Fleet"
		case pk == "ROLLOUT":
			return "ledger:Rollout"
		case pk == "DIGESTS":
			return "ledger:Digested"
		case strings.HasPrefix(pk, "DIGEST#"):
			return "ledger:Digest"
		}
		return "ledger:Load"
	case *dynamodb.PutItemInput:
		switch pk := textOf(in.Item["pk"]); {
		case strings.HasPrefix(pk, "UNIT#"):
			return "ledger:Save"
		case pk == "DIGESTS":
			return "ledger:SetDigested"
		case pk == "ROLLOUT":
			return "ledger:SaveRollout"
		case strings.HasPrefix(pk, "DIGEST#"):
			return "ledger:SaveDigest"
		}
		return "ledger:Order"
	case *dynamodb.QueryInput:
		switch due := textOf(in.ExpressionAttributeValues[":due"]); {
		case in.IndexName == nil:
			return "ledger:In"
		case due == "RECORD":
			return "ledger:Due"
		case due == "DIGEST":
			return "ledger:DueDigests"
		}
		return "ledger:Orders"
	case *dynamodb.BatchGetItemInput:
		for _, wanted := range in.RequestItems {
			if strings.HasPrefix(textOf(wanted.Keys[0]["pk"]), "UNIT#") {
				return "ledger:Due"
			}
		}
		return "ledger:Orders"
	}
	return c.Action()
}

func textOf(v dynamodbtypes.AttributeValue) string {
	s, ok := v.(*dynamodbtypes.AttributeValueMemberS)
	if !ok {
		return ""
	}
	return s.Value
}

// isConflict reports whether a save failed because another saved in between.
func isConflict(err error) bool {
	var failed *dynamodbtypes.ConditionalCheckFailedException
	return errors.Is(err, check.ErrConflict) || errors.As(err, &failed)
}

func (s *stage) seeAsk(c *world.Call, in *eks.UpdateAddonInput, w *work) {
	id := cluster.ID{Account: c.Account, Region: c.Region, Name: aws.ToString(in.ClusterName)}
	a := &ask{id: id, at: c.At, to: aws.ToString(in.AddonVersion), call: c, work: w}
	s.tally["calls of UpdateAddon"]++
	for _, l := range s.laws {
		if l.asked != nil {
			l.asked(id, a)
		}
	}
}

func (s *stage) seeLetter(c *world.Call, in *sns.PublishInput, w *work) {
	l := &letter{taken: c.At, doubtful: c.Err != nil}
	if err := l.read(in); err != nil {
		s.breaks("Told", cluster.ID{}, "a message is not of its schema: %v", err)
		return
	}
	w.letters = append(w.letters, l)
	if l.News == "digest" {
		s.digests[l.topic] = append(s.digests[l.topic], l)
		s.tally["digests"]++
		return
	}
	if !strings.HasSuffix(l.topic, "-machine") {
		s.copies[l.topic] = append(s.copies[l.topic], l)
		return
	}
	s.letters = append(s.letters, l)
	s.tally["messages: "+l.News]++
	for _, law := range s.laws {
		if law.told != nil {
			law.told(l)
		}
	}
}

// seeNews takes the events for others that the bus took for letters to it.
func (s *stage) seeNews(c *world.Call, in *eventbridge.PutEventsInput, w *work) {
	out, _ := c.Out.(*eventbridge.PutEventsOutput) // nil where the answer was lost
	for i, e := range in.Entries {
		if *e.Source != event.NewsSource || *e.DetailType == event.SweepFinished || out != nil && out.Entries[i].ErrorCode != nil {
			continue
		}
		l := &letter{taken: c.At, doubtful: c.Err != nil, topic: onBus}
		if *e.DetailType == "Digest" {
			if err := l.readDigest(*e.Detail); err != nil {
				s.breaks("Told", cluster.ID{}, "a digest on the bus is not of its schema: %v", err)
			}
			w.letters = append(w.letters, l)
			s.digests[onBus] = append(s.digests[onBus], l)
			continue
		}
		if err := json.Unmarshal([]byte(*e.Detail), l); err != nil {
			s.breaks("Told", cluster.ID{}, "an event is not of its schema: %v", err)
			continue
		}
		w.letters = append(w.letters, l)
		s.copies[onBus] = append(s.copies[onBus], l)
		s.tally["events for others"]++
	}
}

func (s *stage) planned(id cluster.ID, p guard.Plan) {
	s.tally["plans"]++
	for _, l := range s.laws {
		if l.planned != nil {
			l.planned(id, p)
		}
	}
}
