package e2e_test

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cniguard/cniguard/internal/alarm"
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

func (s *stage) subjects() (subjects []string) {
	for _, m := range s.told() {
		subjects = append(subjects, aws.ToString(m.Subject))
	}
	return subjects
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
