package notify

import (
	"strings"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

// DigestSchema names the form of a digest's JSON. Fields may be added to it; one that changes its meaning makes a new schema.
const DigestSchema = "cniguard.digest/1"

// digestPayload is the digest for machines. docs/messages.md says what its fields mean.
type digestPayload struct {
	Schema      string       `json:"schema"`
	Key         string       `json:"key"`
	Owner       string       `json:"owner"`
	Account     string       `json:"account"`
	Severity    string       `json:"severity"`
	State       string       `json:"state"`
	Expected    string       `json:"expected"`
	Summary     string       `json:"summary"`
	Clusters    int          `json:"clusters"`
	Began       int          `json:"began"`
	Ended       int          `json:"ended"`
	Open        bySeverity   `json:"open"`
	Findings    []counted    `json:"findings"`
	News        []digestItem `json:"news"`
	Standing    []digestItem `json:"standing"`
	Omitted     int          `json:"omitted"`
	Hidden      []fact       `json:"hidden"`
	HiddenCount int          `json:"hiddenCount"`
	Alarms      int          `json:"alarms"`
	USD         float64      `json:"usdPerMonth"`
	Commands    []string     `json:"commands"`
	At          string       `json:"at"`
}

type bySeverity struct {
	Critical int `json:"critical"`
	Warning  int `json:"warning"`
	Info     int `json:"info"`
}

type counted struct {
	Finding string `json:"finding"`
	Count   int    `json:"count"`
}

// digestItem is one matter. Its fields are named as those of a message.
type digestItem struct {
	Key          string `json:"key"`
	DedupKey     string `json:"dedupKey"`
	News         string `json:"news"`
	State        string `json:"state"`
	Finding      string `json:"finding"`
	Severity     string `json:"severity"`
	Account      string `json:"account"`
	Region       string `json:"region"`
	Cluster      string `json:"cluster"`
	ClusterARN   string `json:"clusterArn"`
	Summary      string `json:"summary"`
	Version      string `json:"version"`
	Next         string `json:"next"`
	Facts        []fact `json:"facts"`
	Muted        order  `json:"muted"`
	Acknowledged order  `json:"acknowledged"`
	FirstSeen    string `json:"firstSeen"`
	At           string `json:"at"`
}

// order is a person's word: all empty, where there is none.
type order struct {
	By      string `json:"by"`
	Because string `json:"because"`
	Until   string `json:"until"`
}

// payload fills in every field, as that of a message does.
func (d digest) payload() digestPayload {
	p := digestPayload{
		Schema: DigestSchema, Key: d.Key, Owner: d.Owner, Severity: d.worst().String(), State: neither, Expected: d.expected(),
		Summary: d.headline(d.owner()), Clusters: d.Clusters, Began: d.Began, Ended: d.Ended,
		Open:     bySeverity{Critical: d.Stand[guard.Critical], Warning: d.Stand[guard.Warning], Info: d.Stand[guard.Info]},
		Findings: d.kinds, News: []digestItem{}, Standing: []digestItem{}, Omitted: d.Omitted, Hidden: []fact{}, HiddenCount: d.hidden,
		Alarms: d.Alarms, USD: d.USD, Commands: []string{}, At: instant(d.At),
	}
	if cluster.IsAccount(d.Owner) {
		p.Account = d.Owner
	}
	for _, i := range d.News {
		p.News = append(p.News, itemPayload(i))
	}
	for _, i := range d.Open {
		p.Standing = append(p.Standing, itemPayload(i))
	}
	for _, f := range d.Hidden {
		p.Hidden = append(p.Hidden, fact(f))
	}
	for _, c := range d.commands() {
		p.Commands = append(p.Commands, strings.Join(c, " "))
	}
	return p
}

func itemPayload(i guard.Item) digestItem {
	m := message(i)
	head, _ := headOf(m, asIs)
	p := digestItem{
		Key: i.Key, DedupKey: i.Thread, News: string(i.News), State: standing(m), Finding: string(i.Finding), Severity: i.Severity.String(),
		Account: i.Cluster.Account, Region: i.Cluster.Region, Cluster: i.Cluster.Name, ClusterARN: arn(i.Cluster),
		Summary: lead(m) + ": " + label(i.Cluster) + ": " + head, Version: i.Version, Next: i.Next, Facts: []fact{},
		Muted: orderPayload(i.Muted), Acknowledged: orderPayload(i.Acked), FirstSeen: instant(i.First), At: instant(i.At),
	}
	for _, f := range i.Facts {
		p.Facts = append(p.Facts, fact(f))
	}
	return p
}

func orderPayload(o *guard.Order) order {
	if o == nil {
		return order{}
	}
	return order{By: o.By, Because: o.Because, Until: instant(o.Until)}
}
