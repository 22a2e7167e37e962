package laws_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/notify"
	"github.com/cniguard/cniguard/internal/simulate"
)

// topics are those that the functions of a scene tell, and those of them that exist: all, no chat, a chat's that is gone, or that
// of the people on call. The letters that the laws read are those to programs.
func (s scene) topics() (told app.Topics, exist []string) {
	told = app.Topics{}
	for _, c := range notify.Channels() {
		told[c] = simulate.TopicARN(s.spec.Hub, c)
	}
	if s.isMute() {
		return told, s.spec.Topics
	}
	gone := notify.Channel("")
	switch s.seed % 4 {
	case 0:
		delete(told, notify.Chat)
	case 2:
		gone = notify.Chat
	case 3:
		gone = notify.OnCall
	}
	for _, c := range notify.Channels() {
		if arn := told[c]; arn != "" && c != gone {
			exist = append(exist, arn)
		}
	}
	return told, exist
}

// read reads a letter to any topic; what is not in its shape it takes from the attributes.
func (l *letter) read(in *sns.PublishInput) error {
	message, attribute := aws.ToString(in.Message), func(name string) string { return aws.ToString(in.MessageAttributes[name].StringValue) }
	l.topic = aws.ToString(in.TopicArn)
	l.News, l.Finding, l.Severity = attribute("news"), attribute("finding"), attribute("severity")
	l.Account, l.Region, l.Cluster = attribute("account"), attribute("region"), attribute("cluster")
	switch {
	case strings.HasSuffix(l.topic, "-machine") && l.News == "digest":
		return l.readDigest(message)
	case strings.HasSuffix(l.topic, "-machine"):
		return json.Unmarshal([]byte(message), l)
	case strings.HasSuffix(l.topic, "-chat"):
		var card struct{ ID string }
		err := json.Unmarshal([]byte(message), &card)
		l.Key, l.DedupKey = card.ID, card.ID[:max(0, strings.LastIndexByte(card.ID, '-'))] // a chat's thread is the cluster, not the matter
		return err
	}
	var byProtocol map[string]string
	if err := json.Unmarshal([]byte(message), &byProtocol); err != nil {
		return err
	}
	if l.News == "digest" {
		_, last, _ := strings.Cut(byProtocol["email"], "\n  digest")
		_, err := fmt.Sscan(last, &l.Key)
		return err
	}
	var reference struct{ finding, thread, message string }
	_, last, _ := strings.Cut(byProtocol["email"], "\nReference:\n")
	_, err := fmt.Sscanf(last, "  finding  %s\n  thread   %s\n  message  %s", &reference.finding, &reference.thread, &reference.message)
	l.Key, l.DedupKey = reference.message, reference.thread
	return err
}

// onBus stands for the hub's bus among the topics. It is always there.
const onBus = "bus"

// checkTopics checks that the bus, and each topic that works, is told what programs are told, once and in the same order, whether another
// is gone or not.
func (s *stage) checkTopics(law string, machine []*letter) {
	told, exist := s.topics()
	lanes := map[string]string{}
	for _, l := range machine {
		lanes[l.Key] = l.Lane
	}
	exist = append(slices.Clone(exist), onBus)
	for _, arn := range exist {
		if arn == told[notify.Machine] {
			continue
		}
		first := s.once(law, s.copies[arn])
		have := map[string]bool{}
		last := map[string]*letter{}
		for _, l := range first {
			if lanes[l.Key] == "digest" && arn != onBus {
				s.breaks(law, l.id(), "people were told %s of %s at once, which can wait for the digest", l.News, l.Finding)
			}
			have[l.Key] = true
			if before := last[l.DedupKey]; before != nil && l.number() < before.number() {
				s.breaks(law, l.id(), "%s took %s of %s after the later %s", arn, l.News, l.Finding, before.News)
			}
			last[l.DedupKey] = l
		}
		for _, l := range machine {
			if l.Lane == "digest" && arn != onBus {
				continue
			}
			again := l.News == "changed" || l.News == "reminded" // a later one may have taken its place
			if s.quiet > 0 && !again && !have[l.Key] && s.run.Now().Sub(l.taken) > 2*lately {
				s.breaks(law, l.id(), "%s was not told %s of %s, which programs were told at %s", arn, l.News, l.Finding, l.taken.Format("15:04:05"))
			}
		}
	}
	for arn, letters := range s.copies {
		if !slices.Contains(exist, arn) {
			s.breaks(law, cluster.ID{}, "%d messages went to %s, which is not told or does not exist", len(letters), arn)
		}
	}
}
