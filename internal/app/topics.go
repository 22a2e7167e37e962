package app

import (
	"cmp"
	"strings"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/notify"
)

// Topics are the ARNs of the SNS topics that are told. A channel without one is left out; notify.OnCall must have one.
type Topics map[notify.Channel]string

// readTopics reads each channel's topic from the environment, and the account and region that they share. Mistakes go to wrong.
func readTopics(getenv func(string) string, wrong func(name, have, want string)) (Topics, event.Unit) {
	topics, taken := Topics{}, map[string]string{}
	var hub event.Unit
	for _, channel := range notify.Channels() {
		name := "CNIGUARD_TOPIC_" + strings.ToUpper(string(channel))
		arn := getenv(name)
		if arn == "" && channel != notify.OnCall {
			continue
		}
		at, ok := topicUnit(arn)
		own := cmp.Or(getenv("AWS_REGION"), hub.Region, at.Region)
		switch {
		case !ok:
			wrong(name, arn, "a standard SNS topic in the hub's account, as arn:aws:sns:eu-central-1:111122223333:cniguard-"+string(channel))
		case at.Region != own: // a client of SNS reaches the topics of its own region only
			wrong(name, arn, "a topic in the function's own region, "+own)
		case hub.Account != "" && at.Account != hub.Account:
			wrong(name, arn, "a topic in account "+hub.Account+", as the other topics")
		case taken[arn] != "": // each protocol of a topic has one shape
			wrong(name, arn, "a topic of its own, other than "+taken[arn])
		}
		if ok && hub.Account == "" {
			hub = at
		}
		topics[channel], taken[arn] = arn, name
	}
	return topics, hub
}

// topicUnit is where a standard topic is.
func topicUnit(arn string) (event.Unit, bool) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" || parts[5] == "" || strings.HasSuffix(arn, ".fifo") {
		return event.Unit{}, false
	}
	return event.Unit{Account: parts[4], Region: parts[3]}, cluster.IsAccount(parts[4]) && cluster.IsRegion(parts[3])
}

// topics are the configured ones, as the engine tells them, and the bus, which is there in any case.
func topics(c Config, p Parts, hub bus) []check.Topic {
	var all []check.Topic
	for _, channel := range notify.Channels() {
		if arn := c.Topics[channel]; arn != "" {
			all = append(all, check.Topic{Name: string(channel), Teller: notify.New(p.SNS, channel, arn, p.Clock), Programs: channel == notify.Machine})
		}
	}
	return append(all, check.Topic{Name: string(notify.Bus), Teller: herald{hub}, Programs: true})
}
