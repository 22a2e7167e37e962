package notify

import (
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

// Schema names the form of Shape.JSON. Fields may be added to it; one that changes its meaning makes a new schema.
const Schema = "cniguard.message/1"

// payload is the message for machines. docs/messages.md says what its fields mean.
type payload struct {
	Schema     string   `json:"schema"`
	Key        string   `json:"key"`
	DedupKey   string   `json:"dedupKey"`
	Resolved   bool     `json:"resolved"`
	News       string   `json:"news"`
	Finding    string   `json:"finding"`
	Severity   string   `json:"severity"`
	State      string   `json:"state"`
	Owner      string   `json:"owner"`
	Lane       string   `json:"lane"`
	Account    string   `json:"account"`
	Region     string   `json:"region"`
	Cluster    string   `json:"cluster"`
	ClusterARN string   `json:"clusterArn"`
	Console    string   `json:"console"`
	Summary    string   `json:"summary"`
	Impact     string   `json:"impact"`
	Action     string   `json:"action"`
	Expected   string   `json:"expected"` // the attribute action: that name was taken
	Commands   []string `json:"commands"`
	Mute       string   `json:"mute"`
	Facts      []fact   `json:"facts"`
	Verdict    verdict  `json:"verdict"`
	Version    string   `json:"version"`
	Path       []string `json:"path"`
	Done       []string `json:"done"`
	Held       []reason `json:"held"`
	Mode       string   `json:"mode"`
	FirstSeen  string   `json:"firstSeen"`
	At         string   `json:"at"`
}

type fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type reason struct {
	Gate  string `json:"gate"`
	Text  string `json:"text"`
	Until string `json:"until"`
}

type verdict struct {
	Word     string `json:"word"`
	Install  answer `json:"install"`
	Version  answer `json:"version"`
	Capacity answer `json:"capacity"`
	Change   answer `json:"change"`
}

type answer struct {
	Word    string `json:"word"`
	Because string `json:"because"`
}

// newPayload fills in every field, so that a reader need not ask which are there: lists may be empty and texts "".
func newPayload(m guard.Message, w words) payload {
	p := payload{
		Schema: Schema, Key: m.Key, DedupKey: m.Thread, News: string(m.News),
		Resolved: ended(m.News) || m.News == guard.Updated,
		Finding:  string(m.Finding.Code), Severity: m.Finding.Severity.String(), State: standing(m), Owner: m.Owner, Lane: lane(m.Lane),
		Account: m.Cluster.Account, Region: m.Cluster.Region, Cluster: m.Cluster.Name, ClusterARN: arn(m.Cluster),
		Console: link(m.Cluster), Summary: headline(m, w, label(m.Cluster)), Impact: w.means, Action: w.do, Expected: expected(m, w),
		Mute:     muting(m),
		Commands: []string{}, Facts: []fact{}, Held: []reason{}, Path: m.Path, Done: m.Done,
		Version: m.Version, Mode: m.Mode, FirstSeen: instant(m.First), At: instant(m.At),
		Verdict: verdict{
			Word: m.Verdict.Word, Install: answer(m.Verdict.Install), Version: answer(m.Verdict.Version),
			Capacity: answer(m.Verdict.Capacity), Change: answer(m.Verdict.Change),
		},
	}
	for _, c := range w.run {
		p.Commands = append(p.Commands, strings.Join(c(m), " "))
	}
	for _, f := range m.Finding.Facts {
		p.Facts = append(p.Facts, fact(f))
	}
	for _, r := range m.Held {
		p.Held = append(p.Held, reason{Gate: r.Gate, Text: r.Text, Until: instant(r.Until)})
	}
	return p
}

// lane says when people are told.
func lane(l guard.Lane) string {
	if l == guard.InDigest {
		return "digest"
	}
	return "at once"
}

// arn is the cluster's; "" in a message about an account and region.
func arn(id cluster.ID) string {
	if id.Name == "" {
		return ""
	}
	return id.ARN()
}

// instant is RFC 3339 in UTC to the second; "" for the zero time. It is a text, because a time of a year beyond 9999 does not
// encode as JSON, and nothing that a message holds may keep it from being told.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
