package laws_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// violation is one break of one law.
type violation struct {
	law     string
	at      time.Time
	cluster cluster.ID
	text    string // what was expected, and what was seen
}

func (v violation) String() string {
	return fmt.Sprintf("%s: %s %s: %s", v.law, v.at.Format("15:04:05.000"), v.cluster, v.text)
}

// law is an observer: what it looks at, each nil where it does not. It sees the world only, never what the product remembers.
type law struct {
	name    string
	entry   func(world.Entry)           // anything that happens
	called  func(*world.Call, *work)    // a call of any of cniguard's principals
	asked   func(id cluster.ID, u *ask) // we call UpdateAddon, whatever comes of it
	started func(id cluster.ID, u *ask) // EKS started an update of ours; the add-on is still as it was
	told    func(*letter)               // SNS took a message
	planned func(id cluster.ID, p guard.Plan)
	saved   func(check.Kept) // a record is in the ledger; only for its size
	end     func()           // the scene is over
}

// stage is a scene that is played, with the laws that look on.
type stage struct {
	scene
	run      *simulate.Run
	clusters map[cluster.ID]*actual
	subnets  map[string]*world.Subnet
	works    map[string]*work     // by request id
	letters  []*letter            // to programs, in the order in which SNS took them
	copies   map[string][]*letter // and to the other topics, by ARN
	digests  map[string][]*letter // to all topics, by ARN
	deaf     []time.Time          // when people's orders could not be read
	missed   []ring               // the events of alarms that ended in the failure queue
	asks     []*ask
	foreign  []cluster.ID // the alarms that others have put, by their names
	laws     []law
	broken   []violation
	tally    map[string]int // how often something happened that a law is about
	peak     map[string]int // the most of something that a law bounds
	used     map[string]bool
}

// twist is a way in which a scene is played otherwise.
type twist struct {
	sdk    bool
	table  bool                                  // the ledger is in a table, whatever the scene says
	watch  func(world.Entry)                     // sees every entry
	alter  func(*app.Parts, scene)               // plants a defect
	policy func(policy.Document) policy.Document // that the product is given in place of the scene's
	laws   func(*stage) []law                    // that look on; nil: all
	until  time.Duration                         // zero: the scene's length
}

// play plays a scene to its end, and says which laws were broken.
func play(s scene, t twist) (*stage, error) {
	doc := s.doc
	if t.policy != nil {
		doc = t.policy(doc)
	}
	p, err := policy.Compile(doc)
	if err != nil {
		return nil, err
	}
	told, exist := s.topics()
	s.spec.Topics = exist
	st := &stage{scene: s, works: map[string]*work{}, copies: map[string][]*letter{}, digests: map[string][]*letter{}, tally: map[string]int{}, peak: map[string]int{}, used: map[string]bool{}}
	st.run, err = simulate.Start(s.spec, p, simulate.Options{Seed: s.seed, SDK: t.sdk, Table: s.table || t.table, Topics: told, Alter: func(parts *app.Parts) {
		parts.Trace = st.planned
		parts.Ledger = weighed{parts.Ledger, st.weigh}
		if t.alter != nil {
			t.alter(parts, s)
		}
	}})
	if err != nil {
		return nil, err
	}
	defer st.run.Close()
	st.begin()
	st.laws = all(st)
	if t.laws != nil {
		st.laws = t.laws(st)
	}
	st.run.World.Watch(st.see)
	if t.watch != nil {
		st.run.World.Watch(t.watch)
	}
	st.disturb()
	length := t.until
	if length == 0 {
		length = s.length
	}
	st.run.For(length)
	for _, l := range st.laws {
		if l.end != nil {
			l.end()
		}
	}
	return st, nil
}

// all are the laws of the design.
func all(s *stage) []law {
	return []law{
		hint(s), alarmFirst(s), closed(s), budget(s), oneStep(s), keep(s), proof(s), told(s), unknownIsNotFine(s), why(s), owner(s), reach(s), least(s), bounds(s),
	}
}

// breaks notes that a law was broken.
func (s *stage) breaks(law string, id cluster.ID, format string, args ...any) {
	s.broken = append(s.broken, violation{law, s.run.Now(), id, fmt.Sprintf(format, args...)})
}

// othersAlarms are alarms that others have in every account and region of the fleet; some look like ours.
func othersAlarms() []string {
	return []string{"other", "cniguardian-c1-pod-subnets", "cniguard-c1-pod-subnets-of-ann", "Cniguard-c1-pod-subnets"}
}

// disturb brings about what a world's spec does not describe: alarms of others, events that should not be, and deaths.
func (s *stage) disturb() {
	w := s.run.World
	for _, m := range s.doc.Fleet {
		for _, region := range m.Regions {
			client := w.Client("arn:"+partition(region)+":iam::"+m.Account+":role/platform-team", m.Account, region)
			w.Clock().Spawn(context.Background(), "others", 0, func(ctx context.Context) {
				for _, name := range othersAlarms() {
					for _, err := client.PutMetricAlarm(ctx, foreignAlarm(name)); err != nil; {
						if w.Clock().Sleep(ctx, time.Minute) != nil {
							return
						}
						_, err = client.PutMetricAlarm(ctx, foreignAlarm(name))
					}
					s.foreign = append(s.foreign, cluster.ID{Account: m.Account, Region: region, Name: name})
				}
			})
		}
	}
	for _, e := range s.raw {
		w.Clock().After(e.at, func() { _ = w.Invoke("urgent", []byte(e.text)) })
	}
	for _, k := range s.kills {
		w.Clock().After(k.at, func() { w.CrashAt(k.n, k.after) })
	}
}

func foreignAlarm(name string) *cloudwatch.PutMetricAlarmInput {
	return &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("Others"), MetricName: aws.String("Lag"), Statistic: types.StatisticAverage, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(7), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
	}
}

// ours reports whether a principal is one of the product's, people's commands included.
func ours(principal string) bool {
	return strings.Contains(principal, ":role/cniguard-") || strings.Contains(principal, ":role/person/")
}
