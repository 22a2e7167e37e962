package laws_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cloud"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/world"
)

// defect is something wrong that is planted at a seam, and the law that must see it.
type defect struct {
	law   string
	name  string
	plant twist
	where func(*scene) // makes it matter; nil: any scene does
	sees  string       // part of what the law must say; empty: anything
}

func defects() []defect {
	return slices.Concat(defectsOfEKS(), defectsOfInside(), defectsOfAlarms(), defectsOfMemory(), defectsOfBounds(), defectsOfCalendar(), defectsOfTools())
}

// TestEachLawFindsItsPlantedDefect plays scenes with a defect until the law that forbids it says so.
func TestEachLawFindsItsPlantedDefect(t *testing.T) {
	if !thorough {
		t.Skip("the race detector would see nothing new; `make laws` runs this without it")
	}
	seen := map[string]bool{}
	for _, d := range defects() {
		seen[d.law] = true
		t.Run(d.law+": "+d.name, func(t *testing.T) {
			t.Parallel()
			most := uint64(400)
			if d.law == "Hint" {
				most = 4000 // few scenes are calm
			}
			for seed := uint64(1); seed <= most; seed++ {
				s, err := holdWith(seed, d)
				if err != nil {
					t.Fatal(err)
				}
				if i := slices.IndexFunc(s.broken, func(v violation) bool { return v.law == d.law && strings.Contains(v.text, d.sees) }); i >= 0 {
					t.Logf("seed %d: %s", seed, s.broken[i])
					return
				}
			}
			t.Errorf("the law did not see it in %d worlds", most)
		})
	}
	for _, l := range all(&stage{}) {
		if !seen[l.name] {
			t.Errorf("no defect is planted for the law %q", l.name)
		}
	}
}

// holdWith plays a scene with a defect. Law 1 needs the calm ones, which are played several times.
func holdWith(seed uint64, d defect) (*stage, error) {
	s := draw(seed)
	if d.law == "Hint" {
		if !s.calm {
			return &stage{}, nil
		}
		return hold(seed, d.plant)
	}
	if d.where != nil {
		d.where(&s)
	}
	return play(s, d.plant)
}

func defectsOfEKS() []defect {
	return []defect{
		{law: "Hint", name: "a sweep that finds no cluster", plant: eksThat(lyingEKS{list: func(out *eks.ListClustersOutput) { out.Clusters = nil }})},
		{law: "Closed", name: "a policy that lets everything be updated", plant: twist{policy: func(doc policy.Document) policy.Document {
			doc.Defaults.Mode, doc.Rules = aws.String("auto"), nil
			return doc
		}}},
		{law: "Closed", name: "clusters outside of the fleet are taken in", plant: twist{policy: func(doc policy.Document) policy.Document {
			doc.Fleet = append(slices.Clone(doc.Fleet), policy.Member{Account: strayAccount, Regions: doc.Fleet[0].Regions[:1]})
			return doc
		}}},
		{law: "Closed", name: "a reader for whom every version takes every configuration", plant: eksThat(lyingEKS{schema: func(out *eks.DescribeAddonConfigurationOutput) {
			out.ConfigurationSchema = aws.String("{}")
		}}), where: func(s *scene) {
			for _, list := range s.spec.Catalogues {
				for i := range list {
					list[i].Refuses = []string{"env.WARM_IP_TARGET"}
				}
			}
		}, sees: "does not take"},
		{law: "Closed", name: "a reader for whom every add-on is well", plant: addonThat(func(a *types.Addon) {
			if a.Status == types.AddonStatusDegraded {
				a.Status, a.Health = types.AddonStatusActive, nil
			}
		}), where: func(s *scene) {
			for i := range s.spec.Clusters {
				if a := s.spec.Clusters[i].Addon; a != nil {
					a.Status, a.Issues = "DEGRADED", []world.Issue{{Code: "AccessDenied"}}
				}
			}
		}, sees: "not well"},
		{law: "Closed", name: "an actor that passes on a role of another account", plant: eksThat(lyingEKS{ask: func(in *eks.UpdateAddonInput) {
			if in.ServiceAccountRoleArn != nil {
				in.ServiceAccountRoleArn = aws.String("arn:aws:iam::000011112222:role/cni")
			}
		}}), sees: "cannot be passed on"},
		{law: "One step", name: "an actor that goes two minor versions further", plant: eksThat(lyingEKS{ask: func(in *eks.UpdateAddonInput) {
			if *in.AddonVersion == "v1.8.0-eksbuild.1" {
				in.AddonVersion = aws.String("v1.9.0-eksbuild.1")
			}
		}})},
		{law: "One step", name: "a reader that sees no updates", plant: eksThat(lyingEKS{updates: func(out *eks.ListUpdatesOutput) { out.UpdateIds = nil }}),
			where: func(s *scene) {
				s.spec.Behaviour.UpdateStarts = world.Range{Min: 8 * time.Minute, Max: 8 * time.Minute}
				for _, c := range s.spec.Clusters {
					s.spec.Changes = append(s.spec.Changes, world.Change{
						At: 6 * time.Minute, Account: c.Account, Region: c.Region, Name: c.Name, Do: world.UpdateAddon,
						Addon: &world.Addon{Version: s.spec.Catalogues[c.Kubernetes][0].Version},
					})
				}
			}, sees: "is open"},
		{law: "One step", name: "a catalogue in which everything runs on every node", plant: eksThat(lyingEKS{versions: func(v *types.AddonVersionInfo, _ string) {
			v.Architecture = nil
		}}), where: func(s *scene) {
			for i := range s.spec.Clusters {
				for j := range s.spec.Clusters[i].Instances {
					s.spec.Clusters[i].Instances[j].Type = graviton
				}
			}
			for _, list := range s.spec.Catalogues {
				for i := range list {
					list[i].Architectures = []string{"amd64"}
				}
			}
		}, sees: "no image"},
		{law: "One step", name: "a catalogue in which everything is compatible", plant: eksThat(lyingEKS{versions: func(v *types.AddonVersionInfo, kubernetes string) {
			v.Compatibilities = []types.Compatibility{{ClusterVersion: &kubernetes}}
		}})},
		{law: "One step", name: "the same, where people update by hand", plant: eksThat(lyingEKS{versions: func(v *types.AddonVersionInfo, kubernetes string) {
			v.Compatibilities = []types.Compatibility{{ClusterVersion: &kubernetes}}
		}}), where: addons(func(a *world.Addon) { a.Version = "v1.7.5-eksbuild.2" }), sees: "by hand"},
		{law: "Keep", name: "an actor that drops the role", plant: eksThat(lyingEKS{ask: func(in *eks.UpdateAddonInput) { in.ServiceAccountRoleArn = nil }})},
		{law: "Keep", name: "an actor that drops the configuration", plant: eksThat(lyingEKS{ask: func(in *eks.UpdateAddonInput) { in.ConfigurationValues = nil }})},
		{law: "Keep", name: "an actor that sends no pod identities", plant: eksThat(lyingEKS{ask: func(in *eks.UpdateAddonInput) {
			in.PodIdentityAssociations = []types.AddonPodIdentityAssociations{}
		}})},
		{law: "Keep", name: "an actor that resets what others set", plant: eksThat(lyingEKS{ask: func(in *eks.UpdateAddonInput) {
			in.ResolveConflicts = types.ResolveConflictsOverwrite
		}}), where: addons(func(a *world.Addon) { a.Conflicts = []string{"DaemonSet.apps aws-node - .spec"} })},
		{law: "Proof", name: "a reader that takes every update for successful and every add-on for active", plant: eksThat(lyingEKS{
			update: func(u *types.Update) { u.Status = types.UpdateStatusSuccessful },
			addon: func(out *eks.DescribeAddonOutput, err error) (*eks.DescribeAddonOutput, error) {
				if err == nil {
					out.Addon.Status = types.AddonStatusActive
				}
				return out, err
			},
		})},
		{law: "Unknown is not fine", name: "a reader that takes a denied add-on for a new one", plant: eksThat(lyingEKS{
			addon: func(out *eks.DescribeAddonOutput, err error) (*eks.DescribeAddonOutput, error) {
				if err == nil {
					return out, nil
				}
				return &eks.DescribeAddonOutput{Addon: &types.Addon{AddonVersion: aws.String("v1.99.0-eksbuild.1"), Status: types.AddonStatusActive}}, nil
			},
		})},
		{law: "Unknown is not fine", name: "a reader that takes interfaces it may not see for none", plant: clients(func(c *cloud.Clients, _ access.Role) { c.EC2 = freeEC2{c.EC2} }),
			where: func(s *scene) {
				crumble(s)
				for _, c := range s.spec.Clusters {
					s.spec.Faults = append(s.spec.Faults, world.Fault{Service: "ec2", Operation: "DescribeNetworkInterfaces", Code: "UnauthorizedOperation", Account: c.Account})
				}
			}, sees: "capacity is fine"},
		{law: "Unknown is not fine", name: "a reader that takes every add-on for healthy", plant: addonThat(func(a *types.Addon) {
			a.Status, a.Health = types.AddonStatusActive, nil
		}), where: addons(func(a *world.Addon) { a.Status = "DEGRADED" }), sees: "the add-on was DEGRADED"},
		{law: "Why", name: "a reader that takes every version for a new one", plant: addonThat(func(a *types.Addon) { a.AddonVersion = aws.String("v1.99.0-eksbuild.1") })},
		{law: "Owner", name: "a reader that sees no tags of add-ons", plant: addonThat(func(a *types.Addon) { a.Tags = nil })},
		{law: "Owner", name: "a reader that sees no tags of clusters", plant: eksThat(lyingEKS{cluster: func(c *types.Cluster) { c.Tags = nil }})},
		{law: "Least", name: "an observer with the updater's role", plant: twist{alter: func(p *app.Parts, _ scene) {
			connect := p.Connect
			p.Connect = func(_ access.Role, account, region string) cloud.Clients {
				return connect(access.Updater, account, region)
			}
		}}},
	}
}

func defectsOfAlarms() []defect {
	return []defect{
		{law: "Alarm first", name: "a reader that takes every alarm for OK", plant: cloudWatchThat(lyingCloudWatch{alarm: func(a *cwtypes.MetricAlarm) { a.StateValue = cwtypes.StateValueOk }})},
		{law: "Alarm first", name: "a reader that takes every subnet for empty", plant: clients(func(c *cloud.Clients, _ access.Role) { c.EC2 = roomyEC2{c.EC2} })},
		{law: "Told", name: "a reader that sees no subnet of the control plane", plant: eksThat(lyingEKS{cluster: func(c *types.Cluster) {
			c.ResourcesVpcConfig.SubnetIds = nil
		}}), sees: "control-plane-room"},
		{law: "Told", name: "a reader that sees no tag of a subnet", plant: clients(func(c *cloud.Clients, _ access.Role) { c.EC2 = untaggedEC2{c.EC2} }),
			where: tagAll, sees: "capacity-low is true"},
		{law: "Told", name: "a reader that sees no interface in a subnet", plant: clients(func(c *cloud.Clients, _ access.Role) { c.EC2 = emptyEC2{c.EC2} }),
			where: crumble, sees: "blocks-low is true"},
		{law: "Told", name: "a ledger that takes every alarm for heard", plant: ledgerThat(forgetful{load: func(k *check.Kept) { k.Record.Rung.Last = start.AddDate(1, 0, 0) }}),
			where: func(s *scene) { s.spec.Behaviour.AlarmEventsLost = 1 }, sees: "alarm-unheard is true"},
		{law: "Told", name: "a ledger that forgets that alarms were heard", plant: ledgerThat(forgetful{load: func(k *check.Kept) { k.Record.Rung.Last = time.Time{} }}),
			where: func(s *scene) { s.spec.Behaviour.AlarmEventsLost = 0 }, sees: "alarm-unheard is over"},
		{law: "Reach", name: "an actor that puts no alarm but the first", plant: cloudWatchThat(lyingCloudWatch{put: func(in *cloudwatch.PutMetricAlarmInput) bool {
			return strings.HasSuffix(*in.AlarmName, "-pod-subnets")
		}}), where: func(s *scene) { s.doc.Defaults.FurtherAlarms = &[]string{"days-left"} }, sees: "days-left stands: false"},
		{law: "Reach", name: "an actor that puts alarms at 80 % always", plant: cloudWatchThat(lyingCloudWatch{
			put:   func(in *cloudwatch.PutMetricAlarmInput) bool { in.Threshold = aws.Float64(80); return true },
			alarm: func(a *cwtypes.MetricAlarm) { a.Threshold = aws.Float64(80) },
		})},
		{law: "Reach", name: "an actor that claims to have put the alarm", plant: cloudWatchThat(lyingCloudWatch{put: func(*cloudwatch.PutMetricAlarmInput) bool { return false }})},
		{law: "Reach", name: "an actor that claims to have dropped the alarm", plant: cloudWatchThat(lyingCloudWatch{drop: func(*cloudwatch.DeleteAlarmsInput) bool { return false }})},
		{law: "Reach", name: "an actor that drops the alarms of others too", plant: cloudWatchThat(lyingCloudWatch{drop: func(in *cloudwatch.DeleteAlarmsInput) bool {
			in.AlarmNames = append(slices.Clone(in.AlarmNames), "other")
			return true
		}})},
	}
}

func defectsOfMemory() []defect {
	return []defect{
		{law: "Closed", name: "a reader of orders that sees no denials", plant: ledgerThat(forgetful{orders: func(o []guard.Order, err error) ([]guard.Order, error) {
			return slices.DeleteFunc(o, func(one guard.Order) bool { return one.Kind == guard.Denial }), err
		}}), where: ordered(world.Deny)},
		{law: "Closed", name: "a reader of the halt that never sees one", plant: ledgerThat(forgetful{fleet: func(_ guard.Fleet, err error) (guard.Fleet, error) { return guard.Fleet{}, err }}), where: ordered(world.Halt)},
		{law: "Closed", name: "a reader that takes orders it cannot read for none", plant: ledgerThat(forgetful{orders: func(o []guard.Order, _ error) ([]guard.Order, error) { return o, nil }}), where: unreadable("Orders")},
		{law: "Closed", name: "a reader that takes a halt it cannot read for none", plant: ledgerThat(forgetful{fleet: func(f guard.Fleet, _ error) (guard.Fleet, error) { return f, nil }}), where: unreadable("Fleet")},
		{law: "Closed", name: "a ledger that forgets who holds a slot", plant: ledgerThat(forgetful{flight: func(r *guard.Rollout) { r.InFlight = nil }}), sees: "others are in flight"},
		{law: "Closed", name: "a ledger that forgets which updates failed", plant: ledgerThat(forgetful{flight: func(r *guard.Rollout) { r.Failed = nil }}), sees: "nobody resumed"},
		{law: "Closed", name: "a ledger that forgets that a step failed", plant: ledgerThat(forgetful{load: func(k *check.Kept) { k.Record.Broken = guard.Broken{} }}),
			where: func(s *scene) {
				s.doc.Defaults.Mode, s.doc.Rules = new("auto"), nil
				s.goBack(cast(s.seed, ofEdges), time.Hour)
			}, sees: "put the add-on back"},
		{law: "One step", name: "a ledger that forgets the step in flight, where EKS does not list it either", plant: both(
			ledgerThat(forgetful{load: func(k *check.Kept) { k.Record.Step = nil }}), eksThat(lyingEKS{updates: func(out *eks.ListUpdatesOutput) { out.UpdateIds = nil }}),
		), sees: "a second update"},
		{law: "Told", name: "a ledger that forgets what it was told to remember of messages", plant: ledgerThat(forgetful{save: func(k check.Kept) bool {
			return len(k.Record.Outbox) == 0 || k.Record.Step != nil // without the step its own tries would come at once, for ever
		}})},
		{law: "Told", name: "a ledger that forgets who is busy", plant: ledgerThat(forgetful{load: func(k *check.Kept) { k.Record.Busy = guard.Busy{} }})},
		{law: "Told", name: "a teller that claims to have published", plant: tellerThat(func(ctx context.Context, in *sns.PublishInput, publish publisher) (*sns.PublishOutput, error) {
			if isRecovery(in) {
				return &sns.PublishOutput{}, nil
			}
			return publish(ctx, in)
		})},
		{law: "Told", name: "a teller that says everything twice", plant: tellerThat(func(ctx context.Context, in *sns.PublishInput, publish publisher) (*sns.PublishOutput, error) {
			_, _ = publish(ctx, in)
			return publish(ctx, in)
		})},
		{law: "Told", name: "a teller that claims to have told a chat", plant: tellerThat(func(ctx context.Context, in *sns.PublishInput, publish publisher) (*sns.PublishOutput, error) {
			if strings.HasSuffix(aws.ToString(in.TopicArn), "-chat") {
				return &sns.PublishOutput{}, nil
			}
			return publish(ctx, in)
		})},
		{law: "Told", name: "a teller that claims to have told people a digest", plant: tellerThat(func(ctx context.Context, in *sns.PublishInput, publish publisher) (*sns.PublishOutput, error) {
			if strings.HasSuffix(aws.ToString(in.TopicArn), "-oncall") && aws.ToString(in.MessageAttributes["news"].StringValue) == "digest" {
				return &sns.PublishOutput{}, nil
			}
			return publish(ctx, in)
		}), sees: "did not get the digest"},
		{law: "Told", name: "a policy whose digests are never due", plant: twist{policy: func(doc policy.Document) policy.Document {
			doc.Digest.At = "07:59"
			return doc
		}}, sees: "is not in the digest"},
		{law: "Told", name: "a ledger that forgets who has a digest", plant: ledgerThat(forgetful{digest: func(k *check.KeptDigest) {
			k.Got, k.Busy, k.Due = nil, guard.Busy{}, k.Digest.At
		}}), where: func(s *scene) { s.spec.Behaviour.EventsDoubled = 1 }, sees: "nobody died"},
		{law: "Told", name: "a reader of orders that sees no mutes", plant: ledgerThat(forgetful{orders: func(o []guard.Order, err error) ([]guard.Order, error) {
			return slices.DeleteFunc(slices.Clone(o), func(o guard.Order) bool { return o.Kind == guard.Muting }), err
		}}), sees: "it was muted"},
		{law: "Told", name: "a bus that claims to have taken what others build on", plant: busThat(func(e ebtypes.PutEventsRequestEntry) bool {
			return *e.Source != event.NewsSource
		}), sees: onBus + " was not told"},
		{law: "Told", name: "a ledger that forgets which topics have a message", plant: ledgerThat(forgetful{load: func(k *check.Kept) {
			for i := range k.Record.Outbox {
				k.Record.Outbox[i].Got = nil
			}
		}})},
		{law: "Told", name: "a ledger that is an hour late with what was told", plant: ledgerThat(forgetful{load: func(k *check.Kept) {
			for code, told := range k.Record.Told {
				told.Last = told.Last.Add(-time.Hour)
				k.Record.Told[code] = told
			}
		}})},
		{law: "Why", name: "a planner that keeps its reasons to itself", plant: twist{alter: func(p *app.Parts, _ scene) {
			trace := p.Trace
			p.Trace = func(id cluster.ID, plan guard.Plan) {
				plan.Held = slices.Clone(plan.Held)
				for i := range plan.Held {
					plan.Held[i].By = nil
				}
				trace(id, plan)
			}
		}}},
	}
}

// addons changes every add-on of a scene as it is at the start.
func addons(change func(*world.Addon)) func(*scene) {
	return func(s *scene) {
		for _, c := range s.spec.Clusters {
			if c.Addon != nil {
				change(c.Addon)
			}
		}
	}
}
