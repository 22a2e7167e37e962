package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/world"
)

// request is one that reached AWS.
type request struct {
	method, path string
	header       http.Header
	body         []byte
}

// seen are the requests so far that a test looks for.
func (s *stage) seen(wanted func(request) bool) []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.requests), func(r request) bool { return !wanted(r) })
}

func anything(request) bool { return true }

// form is a request's body where it is a form.
func (r request) form() url.Values {
	form, _ := url.ParseQuery(string(r.body))
	return form
}

// told are the messages so far.
func (s *stage) told() (messages []*sns.PublishInput) {
	s.aws.With(func(w *world.World) {
		for _, e := range w.History() {
			if m, ok := e.Data.(*sns.PublishInput); ok && e.Kind == world.Published {
				messages = append(messages, m)
			}
		}
	})
	return messages
}

// toldTo are the messages to a topic so far.
func (s *stage) toldTo(topic string) []*sns.PublishInput {
	return slices.DeleteFunc(s.told(), func(m *sns.PublishInput) bool { return aws.ToString(m.TopicArn) != topic })
}

// subjects are those of the messages to a topic so far.
func (s *stage) subjects(topic string) (subjects []string) {
	for _, m := range s.toldTo(topic) {
		subjects = append(subjects, aws.ToString(m.Subject))
	}
	return subjects
}

// attribute is one of a message's; empty: it has none of that name.
func attribute(m *sns.PublishInput, name string) string {
	return aws.ToString(m.MessageAttributes[name].StringValue)
}

// heard is an event for others, as a function put it on the bus.
type heard struct{ Source, DetailType, Detail string }

// heard are the events for others so far.
func (s *stage) heard() (news []heard) {
	s.Helper()
	for _, r := range s.seen(func(r request) bool { return r.header.Get("X-Amz-Target") == "AWSEvents.PutEvents" }) {
		var put struct{ Entries []heard }
		if err := json.Unmarshal(r.body, &put); err != nil {
			s.Fatal(err)
		}
		for _, e := range put.Entries {
			if e.Source == event.NewsSource {
				news = append(news, e)
			}
		}
	}
	return news
}

// kept is the cluster's record.
func (s *stage) kept() guard.Record {
	s.Helper()
	env := s.environment(event.Urgent, observing)
	table := dynamodb.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: &s.url,
		Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]),
	})
	k, err := ledger.NewDynamo(table, "cniguard", clock.Real{}).Load(s.Context(), prod)
	if err != nil {
		s.Fatal(err)
	}
	return k.Record
}

// alarm is the state of the cluster's alarm; empty: there is none.
func (s *stage) alarm() (state string) {
	s.aws.With(func(w *world.World) {
		a, _ := w.Alarm(prod.Account, prod.Region, alarm.PodSubnets.Name(prod))
		state = string(a.StateValue)
	})
	return state
}

func (s *stage) addon() (a world.Addon) {
	s.aws.With(func(w *world.World) { a, _ = w.Addon(prod) })
	return a
}

// calls are the actions that were called so far, in the order of the alphabet, each as often as it was.
func (s *stage) calls() (actions []string) {
	s.aws.With(func(w *world.World) {
		for _, e := range w.History() {
			if e.Call != nil {
				actions = append(actions, e.Call.Action())
			}
		}
	})
	slices.Sort(actions)
	return actions
}

// count is how often an action was called so far.
func (s *stage) count(action string) (n int) {
	for _, a := range s.calls() {
		if a == action {
			n++
		}
	}
	return n
}
